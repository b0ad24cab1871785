"""Flags of the study, and which of them go together.

Imports nothing heavy: flags are checked before Keras is imported.
"""

from absl import flags

from experiments import method_flags
from experiments import training_flags

SETTINGS = (
    "unsplit",
    "split",
    "mixed",
    "one_subset",
    "split_random",
    "multi_policy",
)

flags.DEFINE_string(
    "output_dir", "runs/three_settings", "Folder for runs and report."
)
flags.DEFINE_list(
    "settings",
    ["unsplit", "split", "mixed"],
    f"Which settings to train, of {', '.join(SETTINGS)}.",
)
flags.DEFINE_enum(
    "method",
    "simclr",
    ["simclr", "moco", "triplet"],
    "What trains in each setting; triplet learns from views, not from labels.",
)
flags.DEFINE_integer(
    "num_subsets",
    10,
    "Subsets of the training images; must divide the batch.",
    lower_bound=2,
)
flags.DEFINE_enum(
    "subset_policies",
    "distinct",
    ["distinct", "same"],
    "Whether each subset has a view policy of its own (the source's "
    "section 4) or all have the same (its section 4.2).",
)


def check(values):
    """Refuses flags that are out of range together.

    Args:
        values: `flags.FLAGS`, parsed.

    Raises:
        ValueError: with a sentence that says which flags, and what to do.
    """
    training_flags.check(values)
    method_flags.check(values, [values.method])
    training_flags.check_list("settings", values.settings, SETTINGS)
    batch_size = training_flags.value_of(values, "batch_size")
    if values.data_split == "full":
        raise ValueError(
            "--data_split=full trains on the images that settings are "
            "compared by; choose standard or source."
        )
    has_subsets = set(values.settings) != {"unsplit"}
    if has_subsets and batch_size % values.num_subsets:
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
    if values.subset_policies == "same" and "multi_policy" in values.settings:
        raise ValueError(
            "--settings=multi_policy draws each image's policy from those of "
            "the subsets, and with --subset_policies=same they have one; leave "
            "either out."
        )
    if values.adversarial_epsilon is not None and set(values.settings) & {
        "split", "mixed", "split_random"
    }:  # fmt: skip
        raise ValueError(
            f"--adversarial_epsilon={values.adversarial_epsilon} gives "
            "adversarial views statistics of their own, and split settings "
            "give them to subsets; choose --settings=unsplit."
        )


def as_dict(values):
    """What determines the numbers of a run.

    Args:
        values: `flags.FLAGS`, parsed.

    Returns:
        Dict from names of flags to values.
    """
    ours = training_flags.as_dict(values, [__name__], ["settings"])
    return {**method_flags.as_dict(values, values.method), **ours}
