"""Trains the study's settings and writes a report on them.

    python -m experiments.three_settings
    python -m experiments.three_settings --dataset=cifar10 --data_dir=DIR

A method, SimCLR by default, with two convolutions, on all images with one
view policy (unsplit); with a view policy and batch statistics for each of ten
subsets (split); and with scale and shift for each subset as well, batches
drawn from all of them (mixed). Each run leaves a folder with its flags,
metrics, pictures, checkpoint and exported encoder; report.html compares them.
A command that was interrupted goes on where it stopped when it is given
again.
"""

import functools
import sys
import time

from absl import flags

from experiments import command_line
from experiments import devices
from experiments import script
from experiments import study_flags


def main():
    """Runs what the flags ask for."""
    values = flags.FLAGS
    output_dir = devices.output_dir(values)
    controls_file = output_dir / "controls.json"
    with command_line.refusals():
        script.check_output(
            output_dir, lambda _: study_flags.as_dict(values), values.overwrite
        )
    start = time.perf_counter()
    loaded = script.load_data(values, values.num_subsets)
    if values.overwrite:
        script.remove_runs(output_dir)
        controls_file.unlink(missing_ok=True)
    all_finished = script.train_all(
        _runs(loaded, values),
        output_dir,
        functools.partial(_write_report, output_dir),
    )
    if devices.is_chief():
        with script.leaving(_leave_controls):
            _measure_controls(loaded, controls_file, values)
            _write_report(output_dir)
    script.say_done("report", output_dir / "report.html", start)
    script.finish(all_finished)


def _runs(loaded, values):
    """Every setting with every seed: folder, title, and what to do."""
    from experiments import setting_run

    return [
        (
            f"{name}_seed{seed}",
            f"{name}, seed {seed}",
            functools.partial(setting_run.run, name, seed, loaded, values),
        )
        for seed in map(int, values.seeds)
        for name in values.settings
    ]


def _measure_controls(loaded, path, values):
    if loaded.test.labels is None or path.exists():
        return
    from experiments import controls
    from experiments import run_folder

    script.say("Controls: pixels, PCA, an untrained encoder")
    measured = controls.measure(loaded, values)
    run_folder.write_json(path, measured)


def _leave_controls(why):
    print(
        f"\n{why}. All runs are kept; the same command, without --overwrite, "
        "measures the controls and writes the report.",
        file=sys.stderr,
    )


def _write_report(output_dir):
    from experiments import report

    report.write(output_dir)


if __name__ == "__main__":
    command_line.run(main, __doc__, check=study_flags.check)
