"""Flags of pretraining, and which of them go together.

Imports nothing heavy: flags are checked before Keras is imported.
"""

from absl import flags

from experiments import method_flags
from experiments import training_flags
from experiments.methods import METHODS

#: The policies that can blur.
BLURRED = ("simclr", "moco_v2")

flags.DEFINE_list(
    "method",
    ["simclr"],
    f"What to train: all, or some of {', '.join(METHODS)}.",
)
flags.DEFINE_string(
    "output_dir", "runs/pretrain", "Folder for runs and their table."
)
flags.DEFINE_integer(
    "bn_splits",
    1,
    "Groups of a batch that are normalized by themselves; 8 in MoCo's "
    "CIFAR-10 demo. Must divide the batch. Of symmetric MoCo both directions "
    "share them, so that it takes twice as many for groups of the same size.",
    lower_bound=1,
)
flags.DEFINE_integer(
    "images_per_class",
    None,
    "Batches of some classes with so many images each, for methods that "
    "learn from labels; by default images come in random order.",
    lower_bound=2,
)
flags.DEFINE_float(
    "noise",
    0.0,
    "Standard deviation of Gaussian noise on views, whose values are from 0 to "
    "1.",
    lower_bound=0.0,
    upper_bound=1.0,
)
flags.DEFINE_float(
    "blur",
    None,
    f"Probability that a view is blurred, of {' and '.join(BLURRED)}; by "
    "default the policy's own.",
    lower_bound=0.0,
    upper_bound=1.0,
)
flags.DEFINE_float(
    "imbalance",
    1.0,
    "Training images of the largest class divided by those of the smallest; "
    "above 1 classes thin out exponentially. 100 is CIFAR-10-LT.",
    lower_bound=1.0,
)


def method_names(values):
    """The methods that the flags name.

    Args:
        values: `flags.FLAGS`, parsed.

    Returns:
        List of names.
    """
    return list(METHODS) if values.method == ["all"] else values.method


def check(values):
    """Refuses flags that are out of range together.

    Args:
        values: `flags.FLAGS`, parsed.

    Raises:
        ValueError: with a sentence that says which flags, and what to do.
    """
    training_flags.check(values)
    names = method_names(values)
    training_flags.check_list("method", names, METHODS)
    method_flags.check(values, names)
    training_flags.check_finite(values, "imbalance", "noise", "blur")
    if values.blur is not None and values.policy not in BLURRED:
        raise ValueError(
            f"--blur={values.blur} has an effect on --policy="
            f"{' and '.join(BLURRED)} only, received --policy="
            f"{values.policy}; leave it out."
        )
    _check_batches(values, names)
    if values.bn_splits > 1 and values.adversarial_epsilon is not None:
        raise ValueError(
            f"--bn_splits={values.bn_splits} and --adversarial_epsilon="
            f"{values.adversarial_epsilon} both split the normalization; "
            "choose one."
        )


def as_dict(values, name):
    """What determines the numbers of a method's run.

    Args:
        values: `flags.FLAGS`, parsed.
        name: str, the method.

    Returns:
        Dict from names of flags to values, without those of other methods.
    """
    ours = training_flags.as_dict(values, [__name__], ["method"])
    if not METHODS[name].labels:
        del ours["images_per_class"]
    return {**method_flags.as_dict(values, name), **ours}


def _check_batches(values, names):
    """Refuses batches that cannot be divided as other flags want them."""
    batch_size = training_flags.value_of(values, "batch_size")
    if batch_size % values.bn_splits:
        raise ValueError(
            f"--batch_size={batch_size} is not divisible by --bn_splits="
            f"{values.bn_splits}; choose a multiple."
        )
    if values.images_per_class and batch_size % values.images_per_class:
        raise ValueError(
            f"--batch_size={batch_size} is not divisible by "
            f"--images_per_class={values.images_per_class}; choose a multiple."
        )
    if values.images_per_class and not any(
        METHODS[name].labels for name in names
    ):
        takers = [name for name, each in METHODS.items() if each.labels]
        raise ValueError(
            f"--images_per_class={values.images_per_class} has an effect on "
            f"{', '.join(takers)} only, received --method={','.join(names)}; "
            "leave it out."
        )
