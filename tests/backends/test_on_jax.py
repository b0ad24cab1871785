"""What is no backend's own passes its tests on JAX, too, in one process.

Views and methods are not among it: those are held against TensorFlow's, value
by value, by `test_backends`.
"""

import importlib.util
import pathlib
import re
import subprocess
import sys

import pytest

from tests import quick_compilation

ROOT = pathlib.Path(__file__).parents[2]
FOLDERS = (
    "callbacks",
    "encoders",
    "evaluation",
    "export",
    "layers",
    "losses",
    "metrics",
    "optimizers",
)


@pytest.mark.skipif(
    importlib.util.find_spec("jax") is None,
    reason="the JAX leg did not run: JAX is not installed",
)
def test_tests_pass_on_jax_without_tensorflow():
    process = subprocess.run(
        [
            *(sys.executable, "-m", "tests.without_tensorflow", "pytest"),
            *("-p", "no:xdist", "-p", "no:cacheprovider", "-p", "no:warnings"),
            *(f"tests/{name}" for name in FOLDERS),
        ],
        cwd=ROOT,
        env=quick_compilation.environment(
            quick_compilation.FLAGS, KERAS_BACKEND="jax"
        ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.returncode == 0, process.stdout[-9000:]
    passed = re.search(r"(\d+) passed", process.stdout)
    assert int(passed[1]) > 1000
