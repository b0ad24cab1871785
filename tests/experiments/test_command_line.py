"""Flags are read before anything heavy is loaded."""

import subprocess
import sys

import pytest

from tests.experiments import scripts

HEAVY = {
    "jax",
    "keras",
    "matplotlib",
    "numpy",
    "sklearn",
    "tensorflow",
    "torch",
}


@pytest.mark.parametrize("script", ["three_settings", "pretrain", "finetune"])
def test_scripts_load_nothing_heavy_before_their_flags(script):
    """So that help and refusals come within a second."""
    process = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys, experiments.{script}; print(*sys.modules)",
        ],
        cwd=scripts.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert not HEAVY & set(process.stdout.split())
