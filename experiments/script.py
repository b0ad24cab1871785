"""How every script loads its data, goes through its runs, and stops.

Imports nothing heavy, so that help and refusals come at once.
"""

import atexit
import contextlib
import functools
import hashlib
import importlib.util
import json
import logging as python_logging
import os
import shutil
import sys
import time

from absl import flags

from experiments import command_line
from experiments import devices
from experiments import strategy_flags
from experiments.interrupts import INTERRUPTED
from experiments.interrupts import INTERRUPTS
from experiments.interrupts import means_an_interrupt

WORKER_LOST = 3
_BACKENDS = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}


def say(text):
    """Prints what the script is about to do; of several workers, the chief.

    Args:
        text: str.
    """
    if strategy_flags.is_chief(flags.FLAGS):
        print(f"==> {text}", flush=True)


def say_done(what, path, start):
    """Prints how long a script took, and where to look.

    Args:
        what: str, what was written.
        path: pathlib.Path of it.
        start: float, `time.perf_counter()` when the script began.
    """
    minutes = (time.perf_counter() - start) / 60
    say(
        f"Done in {minutes:.1f} minutes. The {what} lies at\n"
        f"    {path.resolve()}"
    )


def load_data(values, num_subsets=None, imbalance=1.0):
    """Loads and cuts the dataset that the flags name, or refuses.

    Args:
        values: `flags.FLAGS`, parsed.
        num_subsets: int, subsets of the training images; None for none.
        imbalance: float >= 1, of the training images.

    Returns:
        StudyData.
    """
    from experiments import training_flags
    from keras_contrastive import data

    # Before all that takes seconds to load; but a worker that left before it
    # met the others would keep them waiting.
    if values.strategy != "multi_worker":
        with command_line.refusals((OSError, ImportError)):
            data.check_available(values.dataset, values.data_dir)
    _import_keras()
    with command_line.silenced_libraries():
        from experiments import study_data
    _quieten(values)
    with command_line.refusals((ValueError, OSError, ImportError)):
        if values.strategy == "multi_worker":
            say("Waiting for all workers")
        devices.start(values)
        _check_backend(values)
        loaded = study_data.load(
            values.dataset,
            values.data_dir,
            values.image_size,
            values.data_split,
            num_subsets,
            imbalance,
        )
        batch_size = training_flags.value_of(values, "batch_size")
        if batch_size > len(loaded.train):
            raise ValueError(
                f"--batch_size={batch_size} is more than the "
                f"{len(loaded.train)} training images of {values.dataset}; "
                "choose a smaller one."
            )
        _check_agreement(values, loaded)
    also = " of them" if loaded.validation_is_seen else ""
    say(
        f"{values.dataset}: {len(loaded.train)} images to train on, "
        f"{len(loaded.validation)}{also} for validation, {len(loaded.test)} to "
        "test"
    )
    return loaded


def _quieten(values):
    """Leaves of what libraries log what concerns the user."""
    # Every model is traced anew, which TensorFlow takes for a mistake; and
    # tensorflow-datasets tells of every file.
    python_logging.getLogger("tensorflow").setLevel("ERROR")
    python_logging.getLogger("absl").setLevel("WARNING")
    # And JAX of each accelerator that there is not.
    python_logging.getLogger("jax").setLevel("WARNING")
    if not strategy_flags.is_chief(values):
        python_logging.getLogger("keras_contrastive").setLevel("WARNING")


def _import_keras():
    """Refuses a backend that is not installed."""
    say("Loading Keras and its backend")
    with command_line.refusals():
        try:
            with command_line.silenced_libraries():
                importlib.import_module("keras")
        except ModuleNotFoundError as error:
            missing = _BACKENDS.get(error.name)
            if missing is None:
                raise
            installed = filter(importlib.util.find_spec, _BACKENDS)
            raise ValueError(
                f"{missing} is not installed; set KERAS_BACKEND="
                f"{' or '.join(installed) or 'jax'}, or install {missing}."
            ) from error


def _check_backend(values):
    """Refuses what Keras refuses on a backend."""
    import keras

    steps = values.steps_per_execution
    if steps > 1 and keras.backend.backend() == "torch":
        raise ValueError(
            f"--steps_per_execution={steps} must be 1 on PyTorch; Keras makes "
            "no other step there."
        )


def _check_agreement(values, loaded):
    """Refuses a worker that would train on something else than the chief."""
    own = ("task_index", "output_dir", "data_dir", "devices", "run")
    asked = {
        flag.name: flag.value
        for module, its_flags in values.flags_by_module_dict().items()
        if module.startswith("experiments")
        for flag in its_flags
        if flag.name not in own
    }
    text = json.dumps([loaded.summary()["index_hash"], asked], sort_keys=True)
    digest = hashlib.sha256(text.encode()).digest()
    mine = int.from_bytes(digest[:7], "little")
    with leaving():
        if devices.agreed(mine) == mine:
            return
    raise ValueError(
        "This worker's images or flags are others than the chief's; give "
        "every worker the same dataset and the same command."
    )


def check_output(output_dir, flags_of, overwrite):
    """Refuses to mix runs of different flags in one folder.

    Args:
        output_dir: pathlib.Path.
        flags_of: function from a run's record to the flags that this command
            would give such a run, a dict; None for a run of another kind.
        overwrite: bool, whether what is there will be removed.

    Raises:
        ValueError: with a sentence that says which run, and what to do.
    """
    if overwrite:
        return
    for path in sorted(output_dir.glob("*/run.json")):
        record = json.loads(path.read_text())
        wanted, found = flags_of(record), record["flags"]
        if wanted is None:
            continue
        # Of these a record names only what is not the default.
        others = strategy_flags.OF_A_RUN.keys() & found.keys()
        different = [
            f"no --{name}" if found.get(name) is None
            else f"--{name}={found[name]}"
            for name in (*wanted, *sorted(others - wanted.keys()))
            if found.get(name) != wanted.get(name)
        ]  # fmt: skip
        if different:
            raise ValueError(
                f"{path.parent} was run with {' '.join(different)}; choose "
                "another --output_dir, or --overwrite to start anew."
            )


def remove_runs(output_dir):
    """Removes the runs of a folder, for `--overwrite`.

    To be called once nothing can be refused any more.

    Args:
        output_dir: pathlib.Path.
    """
    for path in output_dir.glob("*/run.json"):
        shutil.rmtree(path.parent)


def train_all(runs, output_dir, write_report):
    """Every run that is not finished, in turn.

    Ctrl-C leaves a message, and so does the loss of another worker. A run
    that has diverged does not keep the others from being trained.

    Args:
        runs: list of `(name of the folder, title, function of a RunFolder)`.
        output_dir: pathlib.Path.
        write_report: function of no arguments, called after each run.

    Returns:
        Whether all are finished.
    """
    from experiments.run_evaluation import Diverged
    from experiments.run_folder import RunFolder

    all_finished = True
    for number, (name, title, train) in enumerate(runs, start=1):
        folder = RunFolder(output_dir / name)
        title = f"Run {number} of {len(runs)}: {title}"
        with leaving(functools.partial(_leave, folder, write_report)):
            INTERRUPTS.heed()
            status = (folder.read("run.json") or {}).get("status")
            if devices.agreed(status == "finished"):
                say(f"{title}: already finished in {folder.path}")
                continue
            say(title)
            try:
                train(folder)
            except Diverged:
                all_finished = False
                _leave_diverged(folder)
            if devices.is_chief():
                write_report()
    return all_finished


def _leave_diverged(folder):
    """Records that a run came to nothing, and says what can be done."""
    if not devices.is_chief():
        return
    folder.update(status="diverged")
    print(
        f"{folder.path} has diverged: what the model gives is not finite. "
        "Start it anew in another --output_dir, or with --overwrite, with a "
        "lower --learning_rate, or a higher --temperature where it has one.",
        file=sys.stderr,
    )


@contextlib.contextmanager
def leaving(leave=lambda why: print(f"{why}.", file=sys.stderr)):
    """Ends the script where it is interrupted, or another worker is lost.

    Args:
        leave: function of the reason, in words, that says what is left.
    """
    try:
        yield
    except (KeyboardInterrupt, Exception) as error:
        if means_an_interrupt(error):
            leave("Interrupted")
            sys.exit(INTERRUPTED)
        if not devices.means_a_lost_worker(error):
            raise
        leave("Another worker was lost")
        # Before TensorFlow ends, which complains of threads that still wait.
        atexit.register(_end_at_once, WORKER_LOST)
        sys.exit(WORKER_LOST)


def _end_at_once(code):
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def finish(all_finished):
    """Ends the script, no worker before the chief has written everything.

    Args:
        all_finished: bool, as `train_all` returns it; if not, the script ends
            with exit code 4.
    """
    with leaving():
        devices.agreed(0)
    if not all_finished:
        sys.exit(command_line.DIVERGED)


def _leave(folder, write_report, why):
    """Records that a run was interrupted, and says what is left of it."""
    if not devices.is_chief():
        print(f"\n{why}.", file=sys.stderr)
        return
    if folder.read("run.json"):
        folder.update(status="interrupted")
    write_report()
    checkpoint = folder.newest_checkpoint()
    kept = (
        f"the checkpoint {checkpoint.name}" if checkpoint else "no checkpoint"
    )
    print(
        f"\n{why}. {folder.path} keeps the metrics of its epochs and {kept}; "
        "the same command, without --overwrite, goes on from there.",
        file=sys.stderr,
    )
