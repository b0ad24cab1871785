"""Trains classifiers on what pretraining left, with few or with all labels.

    python -m experiments.finetune --run=runs/pretrain/simclr_seed0
    python -m experiments.finetune --run=... --fractions=0.01,0.1 --train=all

For each fraction of the labels, balanced over the classes, a linear head on
the encoder as it is (head) and the whole network (all), from the encoder of
the run and, for comparison, from scratch. As many updates for each fraction;
heads learn at a rate of 0.01 and networks at 0.001, if none is asked for.
classifiers.md, in the output folder, has a row for each that is finished; an
interrupted command goes on where it stopped when it is given again.
"""

import functools
import pathlib
import time

from absl import flags

from experiments import command_line
from experiments import finetune_flags
from experiments import script


def main():
    """Runs what the flags ask for."""
    values = flags.FLAGS
    output_dir = pathlib.Path(values.output_dir)
    with command_line.refusals():
        script.check_output(
            output_dir,
            lambda _: finetune_flags.as_dict(values),
            values.overwrite,
        )
    start = time.perf_counter()
    loaded = script.load_data(values)
    from experiments import classifier_run
    from experiments import classifiers_table

    with command_line.refusals():
        encoder = classifier_run.pretrained_encoder(values.run, loaded)
    write_table = functools.partial(classifiers_table.write, output_dir)
    runs = [
        (
            f"{start_name}_{fraction}_{part}_seed{seed}",
            f"{part} from {start_name}, {float(fraction):.0%} of the labels, "
            f"seed {seed}",
            functools.partial(
                classifier_run.run,
                start_from,
                start_name,
                float(fraction),
                part,
                seed,
                loaded,
                values,
            ),
        )
        for seed in map(int, values.seeds)
        for fraction in values.fractions
        for part in values.train
        for start_name, start_from in _starts(values, encoder, part)
    ]
    script.train_all(runs, output_dir, write_table)
    table = write_table()
    minutes = (time.perf_counter() - start) / 60
    script.say(f"Done in {minutes:.1f} minutes. The table lies at")
    print(f"    {table.resolve()}")


def _starts(values, encoder, part):
    """What to start from; a head on random features says little."""
    yield pathlib.Path(values.run).resolve().name, encoder
    if values.scratch and part == "all":
        yield "scratch", None


if __name__ == "__main__":
    command_line.run(main, __doc__, check=finetune_flags.check)
