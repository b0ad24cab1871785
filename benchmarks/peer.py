"""The peer, lightly on PyTorch, in a process and an environment of its own.

It is optional: name its Python by `--peer_python`. To make one:

    python3 -m venv peer
    peer/bin/pip install torch torchvision lightly
"""

import json
import pathlib
import shutil
import subprocess

from absl import flags

flags.DEFINE_string(
    "peer_python",
    None,
    "Python of an environment that holds torch and lightly, to be measured "
    "beside ours; without it only ours is measured.",
)

SCRIPT = pathlib.Path(__file__).with_name("peer_worker.py")


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
        self.process = subprocess.Popen(
            [python, str(SCRIPT), task, json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.versions = self._read()

    def __call__(self):
        """Runs the task once.

        Returns:
            Seconds, as measured inside the peer's process.
        """
        print("run", file=self.process.stdin, flush=True)
        return self._read()

    def close(self):
        """Ends the peer's process."""
        self.process.stdin.close()
        self.process.wait()

    def _read(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(
                "The peer ended before it answered; its own message stands "
                "above."
            )
        return json.loads(line)


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
        raise ValueError(
            f"--peer_python={python} cannot be run; name the python of an "
            "environment that holds torch and lightly."
        )
    started = {
        name: Peer(python, task, **options) for name, task, options in tasks
    }
    for first in list(started.values())[:1]:
        print("Peer:", ", ".join(f"{k} {v}" for k, v in first.versions.items()))
    return started
