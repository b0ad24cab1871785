"""Reads command lines of a script and runs nothing.

    python -m tests.benchmarks.read_flags MODULE LINES

LINES is a JSON list of lists of flags; prints one of dicts of their values. A
script of its own, because scripts share their flags' names.
"""

import copy
import importlib
import json
import sys

from absl import flags


def read(line):
    """The values of a command line's flags, refused as the script does."""
    values = copy.deepcopy(flags.FLAGS)
    rest = values(["script", *line])
    assert len(rest) == 1, rest
    if check:
        check(values)
    return {
        name: values[name].value
        for name in ("batch_size", "steps_per_execution", "encoder")
        if name in values
    }


if __name__ == "__main__":
    name, lines = sys.argv[1:]
    module = importlib.import_module(name)
    check = None
    if name.startswith("experiments."):
        own = {"pretrain": "pretrain_flags", "three_settings": "study_flags"}
        checks = importlib.import_module(
            f"experiments.{own[name.partition('.')[2]]}"
        )
        # The data need not be there.
        training_flags = importlib.import_module("experiments.training_flags")
        training_flags._check_dataset = lambda values: None
        check = checks.check
    print(json.dumps([read(line) for line in json.loads(lines)]))
