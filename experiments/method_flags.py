"""Flags of the methods, and which of them a method takes.

Imports nothing heavy: flags are checked before Keras is imported.
"""

from absl import flags

from experiments import training_flags
from experiments.methods import METHODS
from experiments.methods import simclr_temperature

flags.DEFINE_string(
    "policy", "simclr", "View policy where subsets have none of their own."
)
flags.DEFINE_enum(
    "projector",
    "linear",
    ["linear", "mlp", "none"],
    "Head from features to what the loss sees.",
)
flags.DEFINE_integer(
    "monitor_every",
    1,
    "Epochs between two looks at kNN, collapse and clustering; 0: never.",
    lower_bound=0,
)
flags.DEFINE_float(
    "temperature",
    None,
    "Temperature of the loss; by default the method's own, and of simclr 0.1 "
    "on CIFAR-10 and 0.2 on others.",
    lower_bound=1e-3,
)
flags.DEFINE_float(
    "momentum",
    None,
    "How much of a momentum encoder stays in a step, 0.99 by default.",
    lower_bound=0.0,
    upper_bound=1.0,
)
flags.DEFINE_integer(
    "queue_size",
    None,
    "Keys in MoCo's queue; by default 4096, at most half of the images.",
    lower_bound=1,
)
flags.DEFINE_bool(
    "symmetric", None, "Whether each of MoCo's views is query and key once."
)
flags.DEFINE_float(
    "margin",
    None,
    "Margin of triplets and pairs; by default the method's own.",
    lower_bound=0.0,
)
flags.DEFINE_enum(
    "distance",
    None,
    ["euclidean", "squared", "cosine"],
    "Distance of triplets, euclidean by default.",
)
flags.DEFINE_enum(
    "mining",
    None,
    ["all", "nonzero", "semi_hard", "hard", "easy_positive"],
    "Which triplets of a batch count, semi_hard by default.",
)
flags.DEFINE_float(
    "adversarial_epsilon",
    None,
    "Adds adversarial views within this distance of each pixel, on the scale "
    "from 0 to 1; 0.03 is usual.",
    lower_bound=0.0,
    upper_bound=1.0,
)
flags.DEFINE_integer(
    "adversarial_steps",
    None,
    "Steps of the attack: 1, the default, is FGSM, more are PGD.",
    lower_bound=1,
)


def check(values, names):
    """Refuses flags that none of the methods takes.

    Args:
        values: `flags.FLAGS`, parsed.
        names: names of methods.

    Raises:
        ValueError: with a sentence that says which flag, and what to do.
    """
    taken = {flag for name in names for flag in METHODS[name].flags}
    for flag in sorted({each for m in METHODS.values() for each in m.flags}):
        value = values[flag].value
        if value is not None and flag not in taken:
            takers = [n for n, each in METHODS.items() if flag in each.flags]
            raise ValueError(
                f"--{flag}={value} has an effect on {', '.join(takers)} only, "
                f"received --method={','.join(names)}; leave it out."
            )
    if values.adversarial_steps and values.adversarial_epsilon is None:
        raise ValueError(
            f"--adversarial_steps={values.adversarial_steps} has no effect "
            "without --adversarial_epsilon; give it too, 0.03 for example."
        )
    training_flags.check_finite(
        values, "temperature", "margin", "adversarial_epsilon", "momentum"
    )


def as_dict(values, name):
    """What determines the numbers of a method's run.

    Args:
        values: `flags.FLAGS`, parsed.
        name: str, the method.

    Returns:
        Dict from names of flags to values, without flags of other methods.
    """
    others = {each for m in METHODS.values() for each in m.flags}
    record = training_flags.as_dict(
        values, [__name__], others.difference(METHODS[name].flags)
    )
    if name == "simclr" and record["temperature"] is None:
        record["temperature"] = simclr_temperature(values.dataset)
    return record
