"""The peer, lightly on PyTorch, in a process and an environment of its own.

It is optional: name its Python by `--peer_python`. To make one:

    python3 -m venv peer
    peer/bin/pip install torch torchvision lightly
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

from absl import flags

flags.DEFINE_string(
    "peer_python",
    None,
    "Python of an environment that holds torch and lightly, to be measured "
    "beside ours; without it only ours is measured.",
)

flags.DEFINE_bool(
    "peer_channels_last",
    False,
    "Whether the peer trains in this memory format where it loads its images; "
    "on views that are given, both formats are measured anyway.",
)

ROOT = pathlib.Path(__file__).parents[1]


class Peer:
    """A candidate for the stopwatch: each call runs the peer once.

    The process waits for its turn between calls, so that ours and the
    peer's alternate on an otherwise idle machine.

    Args:
        python: path of the peer's Python.
        task: str, one of the tasks of `peer_worker.py`.
        **options: what the task takes.
    """

    def __init__(self, python, task, **options):
        # A relative path is one from where we are; links lead out of an
        # environment.
        python = os.path.abspath(shutil.which(python))
        self.process = subprocess.Popen(
            [python, "-m", "benchmarks.peer_worker", task, json.dumps(options)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.versions = self._read()
        self.peak = None

    def __call__(self):
        """Runs the task once.

        Returns:
            Seconds, as measured inside the peer's process.
        """
        print("run", file=self.process.stdin, flush=True)
        seconds, self.peak = self._read()
        return seconds

    def peak_memory(self):
        """The most bytes of memory that the peer had, when it last ran."""
        return self.peak

    def close(self):
        """Ends the peer's process."""
        self.process.stdin.close()
        self.process.wait()

    def _read(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(
                "The peer ended before it answered; its own message stands "
                "above. The environment that --peer_python names must hold "
                "torch, torchvision and lightly."
            )
        return json.loads(line)


def given_views(steps, **options):
    """Tasks: updates without a data loader, in every way that PyTorch has.

    Args:
        steps: int, updates a run.
        **options: what the task `train_step` takes.

    Returns:
        List of tuples, as `peers` takes them.
    """
    return [
        (
            f"PyTorch, views given, {'compiled' if compiled else 'eager'}"
            + (", channels_last" if last else ""),
            "train_step",
            {
                **options,
                "steps": steps,
                "compiled": compiled,
                "channels_last": last,
            },
        )
        for compiled in (False, True)
        for last in (False, True)
    ]


def peers(*tasks):
    """Starts a peer for each task, where an environment is named.

    Args:
        *tasks: tuples of a name for the table, a task, and its options.

    Returns:
        Dict from names to Peers; empty, and said so, without a peer.
    """
    python = flags.FLAGS.peer_python
    if python is None:
        print("The peer is not measured: --peer_python names none.\n")
        return {}
    if shutil.which(python) is None:
        sys.exit(
            f"--peer_python={python} cannot be run; name the python of an "
            "environment that holds torch, torchvision and lightly."
        )
    started = {
        name: Peer(python, task, **options) for name, task, options in tasks
    }
    for first in list(started.values())[:1]:
        print("Peer:", ", ".join(f"{k} {v}" for k, v in first.versions.items()))
    return started
