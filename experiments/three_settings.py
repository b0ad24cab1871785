"""Trains the study's settings and writes a report on them.

    python -m experiments.three_settings
    python -m experiments.three_settings --dataset=cifar10 --data_dir=DIR

SimCLR with two convolutions, on all images with one view policy (unsplit);
with a view policy and batch statistics for each of ten subsets (split); and
with scale and shift for each subset as well, batches drawn from all of them
(mixed). Each run leaves a folder with its flags, metrics, pictures,
checkpoint and exported encoder; report.html compares them. A command that
was interrupted goes on where it stopped when it is given again.
"""

import json
import logging as python_logging
import pathlib
import shutil
import sys
import time

from absl import flags

from experiments import command_line
from experiments import study_flags

INTERRUPTED = 130


def main():
    """Runs what the flags ask for."""
    values = flags.FLAGS
    output_dir = pathlib.Path(values.output_dir)
    with command_line.refusals():
        _check_output(output_dir, values)
    start = time.perf_counter()
    _say("Loading TensorFlow and Keras")
    with command_line.silenced_libraries():
        from experiments import study_data
    # Every model is traced anew, which TensorFlow takes for a mistake; and
    # tensorflow-datasets tells of every file.
    python_logging.getLogger("tensorflow").setLevel("ERROR")
    python_logging.getLogger("absl").setLevel("WARNING")

    with command_line.refusals((ValueError, OSError, ImportError)):
        loaded = study_data.load(
            values.dataset,
            values.data_dir,
            values.image_size,
            values.data_split,
            values.num_subsets,
        )
        _check_sizes(loaded, values)
    _say(
        f"{values.dataset}: {len(loaded.train)} images to train on, "
        f"{len(loaded.validation)} for validation, {len(loaded.test)} to test"
    )
    _run_all(loaded, values, output_dir)
    _write_report(output_dir)
    minutes = (time.perf_counter() - start) / 60
    _say(f"Done in {minutes:.1f} minutes. The report lies at")
    print(f"    {(output_dir / 'report.html').resolve()}")


def _run_all(loaded, values, output_dir):
    """Every setting with every seed that is not finished, then controls."""
    from experiments import training_run
    from experiments.run_folder import RunFolder

    runs = [
        (name, int(seed)) for seed in values.seeds for name in values.settings
    ]
    for number, (name, seed) in enumerate(runs, start=1):
        folder = RunFolder(output_dir / f"{name}_seed{seed}")
        title = f"Run {number} of {len(runs)}: {name}, seed {seed}"
        if (folder.read("run.json") or {}).get("status") == "finished":
            _say(f"{title}: already finished in {folder.path}")
            continue
        _say(title)
        try:
            training_run.run(name, seed, loaded, values, folder)
        except KeyboardInterrupt:
            _stop(folder, output_dir)
    controls_file = output_dir / "controls.json"
    if loaded.test.labels is not None and not controls_file.exists():
        from experiments import controls

        _say("Controls: pixels, PCA, an untrained encoder")
        measured = controls.measure(loaded, values)
        controls_file.write_text(json.dumps(measured, indent=1) + "\n")


def _stop(folder, output_dir):
    """Ctrl-C: says what is left behind, and how to go on."""
    folder.update(status="interrupted")
    _write_report(output_dir)
    checkpoint = folder.newest_checkpoint()
    kept = (
        f"the checkpoint {checkpoint.name}" if checkpoint else "no checkpoint"
    )
    print(
        f"\nInterrupted. {folder.path} keeps the metrics of its epochs and "
        f"{kept}; the same command, without --overwrite, goes on from there.",
        file=sys.stderr,
    )
    sys.exit(INTERRUPTED)


def _write_report(output_dir):
    from experiments import report

    report.write(output_dir)


def _check_output(output_dir, values):
    """Refuses to mix runs of different flags in one folder."""
    wanted = study_flags.as_dict(values)
    for path in sorted(output_dir.glob("*/run.json")):
        found = json.loads(path.read_text())["flags"]
        different = [
            f"--{name}={found.get(name)}"
            for name in wanted
            if found.get(name) != wanted[name]
        ]
        if different and values.overwrite:
            continue
        if different:
            raise ValueError(
                f"{path.parent} was run with {' '.join(different)}; choose "
                "another --output_dir, or --overwrite to start anew."
            )
    if values.overwrite:
        for path in output_dir.glob("*/run.json"):
            shutil.rmtree(path.parent)
        (output_dir / "controls.json").unlink(missing_ok=True)


def _check_sizes(loaded, values):
    """Refuses a batch larger than the data, before anything is trained."""
    batch_size = study_flags.value_of(values, "batch_size")
    if batch_size > len(loaded.train):
        raise ValueError(
            f"--batch_size={batch_size} is more than the {len(loaded.train)} "
            f"training images of {values.dataset}; choose a smaller one."
        )


def _say(text):
    print(f"==> {text}", flush=True)


if __name__ == "__main__":
    command_line.run(main, __doc__, check=study_flags.check)
