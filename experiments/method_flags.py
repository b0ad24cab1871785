"""Flags of the methods, and which of them a method takes.

Imports nothing heavy: flags are checked before Keras is imported.
"""

from absl import flags

from experiments import training_flags
from experiments.methods import METHODS
from experiments.methods import simclr_temperature

POLICIES = (
    "simclr",
    "moco_v1",
    "moco_v2",
    "weak",
    "identity",
    *(f"graded_{level}" for level in range(10)),
)

flags.DEFINE_enum(
    "encoder",
    "two_conv",
    ["two_conv", "resnet18", "resnet34"],
    "Network from images to features.",
)
flags.DEFINE_enum(
    "policy",
    "simclr",
    POLICIES,
    "View policy; in the study, where subsets have none of their own.",
)
flags.DEFINE_enum(
    "projector",
    "linear",
    [
        "linear",
        "normalized_linear",
        "mlp",
        "plain_mlp",
        "normalized_mlp",
        "none",
    ],
    "Head from features to what the loss sees; mlp normalizes its hidden "
    "layer, plain_mlp nothing; normalized_linear and normalized_mlp normalize "
    "their output, as SimCLR's code does.",
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
    "Temperature of the loss; by default the method's own, and of simclr 0.05 "
    "on CIFAR-10 and 0.2 on others.",
    lower_bound=1e-3,
)
flags.DEFINE_integer(
    "chunk_size",
    None,
    "Rows of simclr's similarities at a time, to spare memory when a batch is "
    "of thousands of images; all by default.",
    lower_bound=1,
)
flags.DEFINE_enum(
    "view_order",
    None,
    ["image_major", "view_major"],
    "Which rows of simclr's batch are neighbours, by default both views of "
    "an image; view_major with --bn_splits=2 normalizes each of the two "
    "views by itself.",
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
    "Keys in MoCo's queue; by default 4096, but at most half of the images, "
    "and at least those of a batch.",
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
flags.DEFINE_integer(
    "discriminator_epochs",
    None,
    "Trains siamese in two stages: --epochs of the encoder alone, then so many "
    "of the discriminator alone, each with the whole course of the learning "
    "rate; by default both learn together.",
    lower_bound=1,
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
flags.DEFINE_float(
    "adversarial_share",
    None,
    "Share of a batch that is attacked, drawn in each step; all by default.",
    lower_bound=1e-6,
    upper_bound=1.0,
)
flags.DEFINE_float(
    "adversarial_weight",
    None,
    "How much the loss of adversarial views counts beside that of the clean "
    "ones, which counts 1; 1 by default.",
    lower_bound=0.0,
)
flags.DEFINE_float(
    "adversarial_step_size",
    None,
    "By how much a step of the attack changes a value; by default 2.5 times "
    "--adversarial_epsilon divided by the steps, and at most that epsilon.",
    lower_bound=1e-8,
)
flags.DEFINE_bool(
    "adversarial_random_start",
    None,
    "Whether the attack starts at a random point of its ball, as in PGD, not "
    "at the view itself.",
)
_OF_THE_ATTACK = (
    "adversarial_steps",
    "adversarial_share",
    "adversarial_weight",
    "adversarial_step_size",
    "adversarial_random_start",
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
    for flag in _OF_THE_ATTACK:
        value = values[flag].value
        if value is not None and values.adversarial_epsilon is None:
            raise ValueError(
                f"--{flag}={value} has no effect without "
                "--adversarial_epsilon; give it too, 0.03 for example."
            )
    headless = [name for name in names if not METHODS[name].projector]
    if values["projector"].present and len(headless) == len(names):
        raise ValueError(
            f"--projector={values.projector} has no effect on "
            f"{', '.join(headless)}, whose loss sees the features; leave it "
            "out."
        )
    apart = [name for name in names if not METHODS[name].candidates]
    if values.candidates == "local" and len(apart) == len(names):
        raise ValueError(
            f"--candidates=local has no effect on {', '.join(apart)}, whose "
            "loss compares no images of a batch with each other; leave it out."
        )
    training_flags.check_finite(
        values,
        "temperature",
        "margin",
        "momentum",
        "adversarial_epsilon",
        "adversarial_weight",
        "adversarial_step_size",
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
