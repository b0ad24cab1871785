"""Flags of every script that trains, and which of them go together.

Imports nothing heavy: flags are checked before Keras is imported.
"""

import glob
import math
import pathlib

from absl import flags

from experiments import strategy_flags

DATASETS = "digits, cifar10, folder:PATH or npz:PATH"

#: What a dataset gets where a flag is not given. CIFAR-10's learning rate and
#: temperature are the best of those tried for SimCLR, by kNN on validation
#: images after five epochs: docs/results has the table.
DEFAULTS = {
    "cifar10": {"epochs": 10, "batch_size": 500, "learning_rate": 1e-2},
    "digits": {"epochs": 30, "batch_size": 200, "learning_rate": 2e-3},
    "": {"epochs": 20, "batch_size": 200, "learning_rate": 2e-3},
}

_NOT_OF_A_RUN = (
    "output_dir",
    "overwrite",
    "seeds",
    "data_dir",
    "steps_per_execution",
    "checkpoint_every",
)

flags.DEFINE_string("dataset", "digits", f"What to train on: {DATASETS}.")
flags.DEFINE_string(
    "data_dir", None, "Where tensorflow-datasets keeps or puts CIFAR-10."
)
flags.DEFINE_integer(
    "image_size",
    32,
    "Side in pixels to which a folder's images are brought.",
    lower_bound=8,
)
flags.DEFINE_enum(
    "data_split",
    "standard",
    ["standard", "full", "source"],
    "standard: the dataset's own test images, and a tenth of its training "
    "images (of at least 10 a class) for validation; full: the same, but "
    "those for validation are trained on, too, as most published figures are "
    "made; source: all images in shares of 80, 10 and 10 %, as the source of "
    "the study says.",
)
flags.DEFINE_list("seeds", ["0"], "Seeds, a run for each.")
flags.DEFINE_integer(
    "epochs",
    None,
    "Passes over the training images; by default 10 of CIFAR-10, 30 of "
    "digits, 20 of others.",
    lower_bound=1,
)
flags.DEFINE_integer(
    "batch_size",
    None,
    "Images a batch, 500 of CIFAR-10 and 200 of others by default.",
    lower_bound=2,
)
flags.DEFINE_enum(
    "optimizer",
    "adam",
    ["adam", "adamw", "sgd", "lars"],
    "Optimizer; sgd and lars have momentum 0.9.",
)
flags.DEFINE_float(
    "learning_rate",
    None,
    "Highest learning rate; by default 0.01 on CIFAR-10 and 0.002 on others, "
    "and in fine-tuning 0.01 for heads and 0.001 for networks. After the "
    "warm-up it falls to zero along a cosine, or as --milestones say.",
    lower_bound=1e-8,
)
flags.DEFINE_float(
    "warmup",
    0.1,
    "Share of the steps over which the learning rate rises from zero.",
    lower_bound=0.0,
    upper_bound=0.9,
)
flags.DEFINE_list(
    "milestones",
    None,
    "Shares of the steps after which the learning rate falls to a tenth, in "
    "place of warm-up and cosine; 0.6,0.8 in MoCo v1.",
)
flags.DEFINE_float(
    "weight_decay",
    0.0,
    "Weight decay: decoupled for adamw, in the gradient for sgd and lars.",
    lower_bound=0.0,
)
flags.DEFINE_enum(
    "precision",
    "float32",
    ["float32", "mixed_float16", "mixed_bfloat16"],
    "Keras dtype policy.",
)
flags.DEFINE_integer(
    "steps_per_execution",
    1,
    "Steps that are one call, on JAX one compiled program: a small network on "
    "a GPU then does not wait for its host. Not on PyTorch, nor on several "
    "replicas of tf.distribute.",
    lower_bound=1,
)
flags.DEFINE_integer(
    "checkpoint_every",
    1,
    "Epochs from one checkpoint to the next; the last epoch has one always.",
    lower_bound=1,
)
flags.DEFINE_bool(
    "overwrite",
    False,
    "Start anew: remove the runs that the output folder holds; otherwise "
    "finished runs stay, and interrupted ones go on.",
)


def check(values):
    """Refuses flags of this module that do not go together.

    Args:
        values: `flags.FLAGS`, parsed.

    Raises:
        ValueError: with a sentence that says which flags, and what to do.
    """
    strategy_flags.check(values)
    _check_dataset(values)
    _check_seeds(values.seeds)
    if values.weight_decay and values.optimizer == "adam":
        raise ValueError(
            f"--weight_decay={values.weight_decay} has no effect on "
            "--optimizer=adam; choose adamw, sgd or lars."
        )
    check_finite(values, "learning_rate", "weight_decay")
    _check_milestones(values)
    _check_steps(values)
    output_dir = pathlib.Path(values.output_dir)
    if output_dir.exists() and not output_dir.is_dir():
        raise ValueError(f"--output_dir={output_dir} is a file; name a folder.")


def check_finite(values, *names):
    """Refuses what reads as a number and is none.

    Args:
        values: `flags.FLAGS`, parsed.
        *names: flags of numbers.

    Raises:
        ValueError: with a sentence that says which flag.
    """
    for name in names:
        if not math.isfinite(values[name].value or 0.0):
            raise ValueError(
                f"--{name} must be a finite number, received "
                f"{values[name].value}."
            )


def check_list(name, values, choices):
    """Refuses a list that is empty, or names what is unknown or named twice.

    Args:
        name: str, of the flag.
        values: list of str.
        choices: what there is.

    Raises:
        ValueError: with a sentence that says what there is.
    """
    unknown = [value for value in values if value not in choices]
    if unknown or not values:
        raise ValueError(
            f"--{name} must name some of {', '.join(choices)}, received "
            f"{','.join(unknown) or 'nothing'}."
        )
    if len(set(values)) < len(values):
        raise ValueError(f"--{name}={','.join(values)} names one twice.")


def value_of(values, name):
    """A flag's value, by itself or by the dataset.

    Args:
        values: `flags.FLAGS`, parsed.
        name: str, a flag of `DEFAULTS`.

    Returns:
        Number.
    """
    if values[name].value is not None:
        return values[name].value
    return DEFAULTS.get(values.dataset, DEFAULTS[""])[name]


def as_dict(values, modules, leave_out=()):
    """What determines the numbers of a run: the flags of some modules.

    Those of the strategy only where they make a difference: a run may go on
    on other devices than it began on.

    Args:
        values: `flags.FLAGS`, parsed.
        modules: names of modules that define flags, beside this one.
        leave_out: names of flags that do not change a run's numbers, beside
            where its data and its output lie.

    Returns:
        Dict from names to values.
    """
    by_module = values.flags_by_module_dict()
    record = {
        flag.name: flag.value
        for module in (__name__, *modules)
        for flag in by_module[module]
    }
    for name in (*_NOT_OF_A_RUN, *leave_out):
        record.pop(name, None)
    for name in DEFAULTS[""]:
        record[name] = value_of(values, name)
    return {**record, **strategy_flags.as_dict(values)}


def _check_milestones(values):
    if values.milestones is None:
        return
    text = ",".join(values.milestones)
    try:
        shares = [float(share) for share in values.milestones]
    except ValueError:
        shares = []
    rising = all(a < b for a, b in zip([0.0, *shares], [*shares, 1.0]))
    if not shares or not rising:
        raise ValueError(
            "--milestones must be rising numbers between 0 and 1, separated "
            f"by commas, received {text!r}; 0.6,0.8 for example."
        )
    if values.warmup:
        raise ValueError(
            f"--milestones={text} leaves no place for a warm-up, received "
            f"--warmup={values.warmup}; add --warmup=0."
        )


def _check_steps(values):
    steps, strategy = values.steps_per_execution, values.strategy
    if steps > 1 and strategy in ("mirrored", "multi_worker", "tpu"):
        raise ValueError(
            f"--steps_per_execution={steps} must be 1 with --strategy="
            f"{strategy}; Keras cannot loop over steps there."
        )


def _check_dataset(values):
    name, colon, path = values.dataset.partition(":")
    if name != "folder" and values["image_size"].present:
        raise ValueError(
            f"--image_size={values.image_size} has an effect on a folder's "
            f"images only, received --dataset={values.dataset}; leave it out."
        )
    if name != "cifar10" and values.data_dir:
        raise ValueError(
            f"--data_dir={values.data_dir} has an effect on cifar10 only, "
            f"received --dataset={values.dataset}; leave it out."
        )
    if name in ("cifar10", "digits") and not colon:
        return
    if name not in ("folder", "npz") or not path:
        raise ValueError(
            f"--dataset must be {DATASETS}, received {values.dataset!r}."
        )
    path = pathlib.Path(path).expanduser()
    if not path.exists() and not (name == "npz" and glob.glob(str(path))):
        raise ValueError(
            f"--dataset={values.dataset}: {path} does not exist; name an "
            "existing folder of images or .npz file, or .npz files by a "
            "pattern such as data/part_*.npz."
        )


def _check_seeds(seeds):
    for seed in seeds:
        if not seed.isdecimal() or int(seed) >= 2**31:
            raise ValueError(
                "--seeds must be whole numbers from 0 to 2147483647, "
                f"separated by commas, received {seed!r}."
            )
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(
            f"--seeds must name at least one, each once, received {seeds}."
        )
