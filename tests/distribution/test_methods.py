"""Two replicas train as one: every method, its figures and its weights."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
METHODS = (
    "simclr",
    "moco",
    "moco_symmetric",
    "moco_v3",
    "adco",
    "supcon",
    "triplet",
    "triplet_labels",
    "siamese",
    "siamese_labels",
    "siamese_composite",
    "cpc",
    "cross_entropy",
)


@pytest.fixture(scope="module")
def found():
    """Differences between one replica and two, by method."""
    process = subprocess.run(
        [sys.executable, "-m", "tests.distribution.train_on_replicas"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
    )
    assert process.returncode == 0, process.stderr[-3000:]
    return json.loads(process.stdout.splitlines()[-1])


def test_no_method_is_left_out(found):
    assert set(found) == set(METHODS)


@pytest.mark.parametrize("method", METHODS)
def test_two_replicas_train_as_one(found, method):
    assert found[method]["figures"] < 1e-4
    assert found[method]["weights"] < 1e-4
