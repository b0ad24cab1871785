"""Flags of the study, and which of them go together.

Imports nothing heavy: flags are checked before Keras is imported.
"""

import math
import pathlib

from absl import flags

SETTINGS = (
    "unsplit",
    "split",
    "mixed",
    "one_subset",
    "split_random",
    "multi_policy",
)
DATASETS = "digits, cifar10, folder:PATH or npz:PATH"

#: What a dataset gets where a flag is not given. CIFAR-10's learning rate and
#: temperature are the best of those tried for unsplit, by kNN on validation
#: images after five epochs: docs/results has the table.
DEFAULTS = {
    "cifar10": {
        "epochs": 10,
        "batch_size": 500,
        "learning_rate": 1e-2,
        "temperature": 0.1,
    },
    "digits": {
        "epochs": 30,
        "batch_size": 200,
        "learning_rate": 2e-3,
        "temperature": 0.2,
    },
    "": {
        "epochs": 20,
        "batch_size": 200,
        "learning_rate": 2e-3,
        "temperature": 0.2,
    },
}

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
    ["standard", "source"],
    "standard: the dataset's own test images, and a tenth of its training "
    "images (of at least 10 a class) for validation; source: all images in "
    "shares of 80, 10 and 10 %, as the source of the study says.",
)
flags.DEFINE_string(
    "output_dir", "runs/three_settings", "Folder for runs and report."
)
flags.DEFINE_list(
    "settings",
    ["unsplit", "split", "mixed"],
    f"Which settings to train, of {', '.join(SETTINGS)}.",
)
flags.DEFINE_list("seeds", ["0"], "Seeds, a run of each setting for each.")
flags.DEFINE_integer(
    "num_subsets", 10, "Subsets of the training images.", lower_bound=2
)
flags.DEFINE_enum(
    "subset_policies",
    "distinct",
    ["distinct", "same"],
    "Whether each subset has a view policy of its own (the source's "
    "section 4) or all have the same (its section 4.2).",
)
flags.DEFINE_string(
    "policy", "simclr", "View policy where subsets have none of their own."
)
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
    "Images a batch, 500 of CIFAR-10 and 200 of others by default; the "
    "number of subsets must divide it.",
    lower_bound=2,
)
flags.DEFINE_enum(
    "encoder",
    "two_conv",
    ["two_conv", "resnet18", "resnet34"],
    "Network from images to features.",
)
flags.DEFINE_enum(
    "projector",
    "linear",
    ["linear", "mlp", "none"],
    "Head from features to what the loss sees.",
)
flags.DEFINE_float(
    "temperature",
    None,
    "Temperature of NT-Xent, 0.1 on CIFAR-10 and 0.2 on others by default.",
    lower_bound=1e-3,
)
flags.DEFINE_enum(
    "optimizer",
    "adam",
    ["adam", "adamw", "sgd"],
    "Keras optimizer; sgd has momentum 0.9.",
)
flags.DEFINE_float(
    "learning_rate",
    None,
    "Highest learning rate, 0.01 on CIFAR-10 and 0.002 on others by default; "
    "after a warm-up over a tenth of the steps it falls to zero along a "
    "cosine.",
    lower_bound=1e-8,
)
flags.DEFINE_float(
    "weight_decay",
    0.0,
    "Decoupled weight decay, for adamw and sgd.",
    lower_bound=0.0,
)
flags.DEFINE_enum(
    "precision",
    "float32",
    ["float32", "mixed_float16", "mixed_bfloat16"],
    "Keras dtype policy.",
)
flags.DEFINE_integer(
    "monitor_every",
    1,
    "Epochs between two looks at kNN, collapse and clustering; 0: never.",
    lower_bound=0,
)
flags.DEFINE_bool(
    "overwrite",
    False,
    "Start anew: remove the runs that the output folder holds; otherwise "
    "finished runs stay, and interrupted ones go on.",
)


def check(values):
    """Refuses flags that are out of range together.

    Args:
        values: `flags.FLAGS`, parsed.

    Raises:
        ValueError: with a sentence that says which flags, and what to do.
    """
    _check_dataset(values)
    _check_list("settings", values.settings, SETTINGS)
    _check_seeds(values.seeds)
    batch_size = value_of(values, "batch_size")
    if batch_size % values.num_subsets:
        raise ValueError(
            f"--batch_size={batch_size} is not divisible by --num_subsets="
            f"{values.num_subsets}; a batch holds as many images of each "
            "subset, so choose a multiple."
        )
    if values.subset_policies == "distinct" and values.num_subsets > 10:
        raise ValueError(
            "There are ten graded view policies, and --num_subsets="
            f"{values.num_subsets}; choose at most 10, or "
            "--subset_policies=same."
        )
    if values.weight_decay and values.optimizer == "adam":
        raise ValueError(
            f"--weight_decay={values.weight_decay} has no effect on "
            "--optimizer=adam; choose adamw or sgd."
        )
    for name in ("temperature", "learning_rate", "weight_decay"):
        if not math.isfinite(values[name].value or 0.0):
            raise ValueError(
                f"--{name} must be a finite number, received "
                f"{values[name].value}."
            )
    output_dir = pathlib.Path(values.output_dir)
    if output_dir.exists() and not output_dir.is_dir():
        raise ValueError(f"--output_dir={output_dir} is a file; name a folder.")


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


def as_dict(values):
    """What determines the numbers of a run: all flags of this module.

    Args:
        values: `flags.FLAGS`, parsed.

    Returns:
        Dict from names to values; those that do not change a run's numbers
        are left out.
    """
    ours = values.flags_by_module_dict()[__name__]
    record = {flag.name: flag.value for flag in ours}
    for name in ("output_dir", "overwrite", "settings", "seeds", "data_dir"):
        del record[name]
    for name in DEFAULTS[""]:
        record[name] = value_of(values, name)
    return record


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
    if not pathlib.Path(path).exists():
        raise ValueError(
            f"--dataset={values.dataset}: {path} does not exist; name an "
            "existing folder of images or .npz file."
        )


def _check_list(name, values, choices):
    unknown = [value for value in values if value not in choices]
    if unknown or not values:
        raise ValueError(
            f"--{name} must name some of {', '.join(choices)}, received "
            f"{','.join(unknown) or 'nothing'}."
        )
    if len(set(values)) < len(values):
        raise ValueError(f"--{name}={','.join(values)} names one twice.")


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
