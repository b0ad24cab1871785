"""Where one process trains, it is the chief and agrees with itself."""

import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_contrastive.distribution import workers

ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.parametrize("kind", [None, "default"])
def test_one_process_is_the_chief(kind):
    strategy = None
    if kind and keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        strategy = tf.distribute.get_strategy()
    assert workers.count(strategy) == 1
    assert workers.index(strategy) == 0
    assert workers.is_chief(strategy)
    assert workers.agree(strategy, 7) == 7
    variable = keras.Variable(np.ones(3))
    workers.follow_chief(strategy, [variable])
    assert variable.numpy().tolist() == [1.0, 1.0, 1.0]


# Sets of strings have another order in each process: here, surely so.
OTHER_HASHES = """
import json, os, sys
index = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
os.environ["PYTHONHASHSEED"] = "12"[index]
module = "tests.distribution.agree_on_workers"
os.execv(sys.executable, [sys.executable, "-m", module])
"""


def test_workers_take_the_chiefs_word():
    pytest.importorskip("tensorflow")
    process = subprocess.run(
        [
            *(sys.executable, "-m", "experiments.launch", "--workers=2"),
            *("--", sys.executable, "-c", OTHER_HASHES),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
    )
    assert process.returncode == 0, process.stdout[-3000:]
    assert process.stdout.count("agreed") == 2
