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
import time

from absl import flags

from experiments import command_line
from experiments import devices
from experiments import finetune_flags
from experiments import script


def main():
    """Runs what the flags ask for."""
    values = flags.FLAGS
    output_dir = devices.output_dir(values)
    with command_line.refusals():
        script.check_output(
            output_dir,
            lambda record: finetune_flags.as_dict(values, record.get("start")),
            values.overwrite,
        )
    start = time.perf_counter()
    loaded = script.load_data(values)
    from experiments import classifier_run
    from experiments import classifiers_table

    with command_line.refusals():
        encoder = classifier_run.pretrained_encoder(values, loaded)
    if values.overwrite:
        script.remove_runs(output_dir)
    write_table = functools.partial(classifiers_table.write, output_dir)
    runs = _runs(encoder, loaded, values)
    all_finished = script.train_all(runs, output_dir, write_table)
    if devices.is_chief():
        script.say_done("table", write_table(), start)
    script.finish(all_finished)


def _runs(encoder, loaded, values):
    """Every seed, fraction, part and start: folder, title, what to do."""
    from experiments import classifier_run

    return [
        (
            f"{start}_{fraction}_{part}_seed{seed}",
            f"{part} from {start}, {float(fraction):.0%} of the labels, "
            f"seed {seed}",
            functools.partial(
                classifier_run.run,
                encoder,
                start,
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
        for start in _starts(values, part)
    ]


def _starts(values, part):
    """What to start from; a head on random features says little."""
    yield finetune_flags.run_name(values)
    if values.scratch and part == "all":
        yield finetune_flags.SCRATCH


if __name__ == "__main__":
    command_line.run(main, __doc__, check=finetune_flags.check)
