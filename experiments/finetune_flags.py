"""Flags of fine-tuning, and which of them go together.

Imports nothing heavy: flags are checked before Keras is imported.
"""

import json
import pathlib

from absl import flags

from experiments import training_flags

PARTS = ("head", "all")
SCRATCH = "scratch"

flags.DEFINE_string(
    "run", None, "Folder of a run of pretraining that is finished."
)
flags.DEFINE_string(
    "output_dir", "runs/finetune", "Folder for runs and their table."
)
flags.DEFINE_list(
    "fractions",
    ["0.01", "0.1", "1"],
    "Fractions of the training labels, each above 0 and at most 1.",
)
flags.DEFINE_list(
    "train",
    list(PARTS),
    "What learns: head, a linear classifier on the encoder as it is; all, "
    "the encoder too.",
)
flags.DEFINE_bool(
    "scratch", True, "Whether to train the whole network from scratch, too."
)
flags.DEFINE_string("policy", "weak", "View policy of the training images.")


def check(values):
    """Refuses flags that are out of range together.

    Args:
        values: `flags.FLAGS`, parsed.

    Raises:
        ValueError: with a sentence that says which flags, and what to do.
    """
    training_flags.check(values)
    training_flags.check_list("train", values.train, PARTS)
    for fraction in values.fractions:
        if not _is_fraction(fraction):
            raise ValueError(
                "--fractions must be numbers above 0 and at most 1, separated "
                f"by commas, received {fraction!r}."
            )
    if not values.fractions:
        raise ValueError("--fractions must name at least one, received none.")
    if values.run is None:
        raise ValueError(
            "--run must name the folder of a finished run of pretraining, "
            "received nothing; python -m experiments.pretrain makes one."
        )
    run = pathlib.Path(values.run).expanduser().resolve()
    if not (run / "model.keras").exists():
        raise ValueError(
            f"--run={values.run} holds no model.keras; name the folder of a "
            "finished run, such as runs/pretrain/simclr_seed0."
        )
    if run.parent == pathlib.Path(values.output_dir).expanduser().resolve():
        raise ValueError(
            f"--output_dir={values.output_dir} is the folder of --run; choose "
            "another."
        )
    _check_data(values, json.loads((run / "run.json").read_text()))


def run_name(values):
    """What a run of pretraining is called: its folder.

    Args:
        values: `flags.FLAGS`, parsed.

    Returns:
        str.
    """
    return pathlib.Path(values.run).expanduser().resolve().name


def as_dict(values, start):
    """What determines the numbers of a run.

    Args:
        values: `flags.FLAGS`, parsed.
        start: str, what the run starts from.

    Returns:
        Dict from names of flags to values.
    """
    choices = ["fractions", "train", "scratch", "run"]
    record = training_flags.as_dict(values, [__name__], choices)
    # By default it goes by what learns, not by the dataset.
    record["learning_rate"] = values["learning_rate"].value
    if start == run_name(values):
        record["run"] = str(pathlib.Path(values.run).expanduser().resolve())
    return record


def _check_data(values, record):
    """Refuses images that pretraining has seen where these are to test."""
    flags_of_run = record["flags"]
    for name in ("dataset", "data_split"):
        if flags_of_run[name] != values[name].value:
            raise ValueError(
                f"--run={values.run} was trained with --{name}="
                f"{flags_of_run[name]}, received --{name}="
                f"{values[name].value}; give the same."
            )


def _is_fraction(text):
    try:
        return 0 < float(text) <= 1
    except ValueError:
        return False
