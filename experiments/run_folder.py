"""A run's folder: what was asked, on what, how it went, where it stands.

run.json       setting, flags, versions, machine, data, times, status
metrics.json   a record an epoch, written as they come; .csv the same
checkpoint-NNNN.weights.h5   model, optimizer and step after epoch NNNN
results.json   the evaluation, once the run is finished
"""

import csv
import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
import shlex
import subprocess
import sys

from experiments import machine

PACKAGES = (
    "keras",
    "tensorflow",
    "jax",
    "torch",
    "numpy",
    "scikit-learn",
    "keras_contrastive",
)


class RunFolder:
    """Reads and writes the files of one run.

    Args:
        path: folder, made if it does not exist.
    """

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.path.mkdir(parents=True, exist_ok=True)

    def __truediv__(self, name):
        return self.path / name

    def read(self, name):
        """The content of a JSON file, or None where there is none."""
        path = self.path / name
        return json.loads(path.read_text()) if path.exists() else None

    def write(self, name, content):
        """Writes a JSON file of the run."""
        write_json(self.path / name, content)

    def update(self, **changes):
        """Changes entries of `run.json`."""
        self.write("run.json", {**(self.read("run.json") or {}), **changes})

    def start(self, **record):
        """Writes `run.json` for a run that begins, or goes on."""
        before = self.read("run.json") or {}
        data, its_data = record["dataset"], before.get("dataset")
        if its_data and its_data["index_hash"] != data["index_hash"]:
            raise ValueError(
                f"{self.path} was begun on other images than {data['name']} "
                "holds now; choose another --output_dir, or --overwrite."
            )
        commits = before.get("commits", [])
        self.update(
            **record,
            command=command(),
            commit=commit(),
            commits=[*commits, *({commit()} - set(commits))],
            versions=versions(),
            machine=machine.describe(),
            started=before.get("started", now()),
            finished=None,
            status="running",
        )

    def write_metrics(self, records):
        """Writes the epochs' records, as JSON and as CSV."""
        self.write("metrics.json", records)
        names = list(dict.fromkeys(name for each in records for name in each))
        with open(self.path / "metrics.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(records)

    def save_checkpoint(self, model, epoch):
        """Keeps the state after an epoch, and no older one."""
        older = self._checkpoints()
        scratch = self.path / "part.weights.h5"
        model.save_weights(scratch)
        os.replace(scratch, self._checkpoint(epoch))
        for each in older:
            if each != epoch:
                self._checkpoint(each).unlink()

    def load_checkpoint(self, model):
        """Puts a model where the run stood; returns the epochs it has had.

        Its optimizer must be built.
        """
        epochs = self.epochs()
        if self._checkpoints():
            model.load_weights(self._checkpoint(epochs))
        return epochs

    def epochs(self):
        """The epochs of the newest checkpoint, 0 where there is none."""
        return max(self._checkpoints(), default=0)

    def newest_checkpoint(self):
        """The file from which the run goes on, or None where there is none."""
        exists = bool(self._checkpoints())
        return self._checkpoint(self.epochs()) if exists else None

    def _checkpoint(self, epoch):
        return self.path / f"checkpoint-{epoch:04d}.weights.h5"

    def _checkpoints(self):
        paths = self.path.glob("checkpoint-*.weights.h5")
        return [int(each.name.split("-")[1].split(".")[0]) for each in paths]


def write_json(path, content):
    """Writes a JSON file at once, so that no reader meets half of it.

    Args:
        path: pathlib.Path.
        content: what JSON can hold.
    """
    scratch = path.with_suffix(".part")
    scratch.write_text(json.dumps(content, indent=1) + "\n")
    os.replace(scratch, path)


def versions():
    """Versions of Python and of the packages that are installed.

    Returns:
        Dict from names to versions.
    """
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def commit():
    """The commit of the checkout that this runs from.

    Returns:
        Hash, with "-dirty" behind it where files differ from the commit;
        None where this is no checkout, or there is no git.
    """
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40",
             "--exclude=*"],
            cwd=pathlib.Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def peak_memory_gib():
    """Most memory this process has held at once.

    Returns:
        float, GiB; None on systems that do not say.
    """
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Kilobytes, but bytes on macOS.
    return round(peak / 2 ** (30 if sys.platform == "darwin" else 20), 2)


def command():
    """The command line that started this process, to be run again."""
    module = sys.modules["__main__"].__spec__
    start = ["-m", module.name] if module else [sys.argv[0]]
    return shlex.join(["python", *start, *sys.argv[1:]])


def now():
    """The time, in ISO form with its zone."""
    return datetime.datetime.now().astimezone().isoformat(timespec="seconds")
