"""Runs the scripts as a user runs them."""

import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).parents[2]


def command(script, *arguments):
    """The command line of a script of `experiments`."""
    return [sys.executable, "-m", f"experiments.{script}", *arguments]


def run(script, *arguments, **kwargs):
    """Runs a script to its end, and keeps what it prints."""
    return subprocess.run(
        command(script, *arguments),
        cwd=ROOT,
        capture_output=True,
        text=True,
        **kwargs,
    )


def check_refusal(script, arguments, expected):
    """A script says no at once, in one sentence, with exit code 2."""
    start = time.monotonic()
    process = run(script, *arguments, timeout=60)
    assert process.returncode == 2
    assert expected in process.stderr
    assert process.stderr.startswith("Refused: ")
    assert len(process.stderr.strip().splitlines()) == 1
    # Importing TensorFlow takes longer than this.
    assert time.monotonic() - start < 4
