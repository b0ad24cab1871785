"""Trains methods on the same images, and puts them into one table.

    python -m experiments.pretrain --method=moco
    python -m experiments.pretrain --method=all --dataset=cifar10 --data_dir=DIR

Each run leaves a folder with its flags, metrics, pictures, checkpoint, model
and exported encoder; methods.md, in the output folder, has a row for each run
that is finished. A command that was interrupted goes on where it stopped when
it is given again, and further methods can be added to the same folder.
"""

import functools
import time

from absl import flags

from experiments import command_line
from experiments import devices
from experiments import pretrain_flags
from experiments import script


def main():
    """Runs what the flags ask for."""
    values = flags.FLAGS
    output_dir = devices.output_dir(values)
    with command_line.refusals():
        script.check_output(
            output_dir,
            lambda record: _flags_of(record, values),
            values.overwrite,
        )
    start = time.perf_counter()
    loaded = script.load_data(values, imbalance=values.imbalance)
    names = pretrain_flags.method_names(values)
    with command_line.refusals():
        _check_data(loaded, names, values)
    if values.overwrite:
        script.remove_runs(output_dir)
    from experiments import methods_table

    write_table = functools.partial(methods_table.write, output_dir)
    runs = _runs(loaded, names, values)
    all_finished = script.train_all(runs, output_dir, write_table)
    if devices.is_chief():
        script.say_done("table", write_table(), start)
    script.finish(all_finished)


def _runs(loaded, names, values):
    """Every method with every seed: folder, title, and what to do."""
    from experiments import method_run

    return [
        (
            f"{name}_seed{seed}",
            f"{name}, seed {seed}",
            functools.partial(method_run.run, name, seed, loaded, values),
        )
        for seed in map(int, values.seeds)
        for name in names
    ]


def _flags_of(record, values):
    """The flags that this command would give a run of the same method."""
    if record.get("method") not in pretrain_flags.METHODS:
        return None
    return pretrain_flags.as_dict(values, record["method"])


def _check_data(loaded, names, values):
    """Refuses methods that need labels where there are none."""
    needy = [name for name in names if pretrain_flags.METHODS[name].labels]
    if needy and loaded.train.labels is None:
        raise ValueError(
            f"--method={','.join(needy)} learns from labels, which "
            f"{values.dataset} lacks; choose another method, or images in "
            "class folders."
        )


if __name__ == "__main__":
    command_line.run(main, __doc__, check=pretrain_flags.check)
