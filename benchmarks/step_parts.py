"""Where the time of a training step goes, on a processor.

    python -m benchmarks.step_parts

Epochs of SimCLR from decoded images in memory to updates, as TensorFlow's
profiler records them. Operations that run beside each other share the time;
where none runs, Python prepares the next step, or waits for its input. The
profiler itself takes time, too. Of the flags those of splits have no effect.
"""

import statistics
import sys

import keras
from absl import app
from absl import flags

from benchmarks import device
from benchmarks import operations
from benchmarks import timeline
from benchmarks import training
from keras_contrastive.models.backend_step import backend_step

FLAGS = flags.FLAGS
flags.DEFINE_integer("steps", 8, "Updates an epoch.", lower_bound=1)


def main(_):
    """Prints the table."""
    if keras.backend.backend() != "tensorflow":
        sys.exit(
            "benchmarks.step_parts reads TensorFlow's profiler, received the "
            f"backend {keras.backend.backend()}; give "
            "KERAS_BACKEND=tensorflow."
        )
    if backend_step().has_accelerator():
        sys.exit(
            "benchmarks.step_parts reads what a processor does, and there is "
            "a GPU; hide it: CUDA_VISIBLE_DEVICES=-1."
        )
    training.start()
    images = training.random_images(FLAGS.batch_size * FLAGS.steps)
    epoch = training.Training(images)
    # The first compiles.
    epoch()
    steps = epoch.num_images // FLAGS.batch_size
    optimizer = epoch.model.optimizer.name
    epochs = []
    for number in range(FLAGS.runs):
        events = [
            (start, end, timeline.part_of(name, optimizer))
            for start, end, name in timeline.recorded(epoch)
        ]
        seconds = timeline.shared(events)
        epochs.append({part: seconds[part] / steps for part in timeline.PARTS})
        print(f"  round {number + 1}: {sum(epochs[-1].values()):.3f} s a step")
    _print(epochs, operations.of_an_image(epoch.model.encoder))


def _print(epochs, work):
    """Prints what parts take, and what a product of matrices would.

    Args:
        epochs: list of dicts from parts to seconds a step.
        work: float, operations of an image.
    """
    print("\n| ours, by part | ms a step | share, least to most |")
    print("| --- | --- | --- |")
    for part in epochs[0]:
        middle = statistics.median(epoch[part] for epoch in epochs)
        shares = [epoch[part] / sum(epoch.values()) for epoch in epochs]
        span = f"{min(shares):.2f} to {max(shares):.2f}"
        print(f"| {part} | {1000 * middle:.1f} | {span} |")
    whole = statistics.median(sum(epoch.values()) for epoch in epochs)
    rate = device.matrix_rate("float32")
    print(
        f"\nA step of {FLAGS.batch_size} images takes {1000 * whole:.0f} ms. "
        "At the rate at which the device multiplies matrices, "
        f"{rate / 1e12:.3f} TFLOP/s, its convolutions alone would take "
        f"{1000 * work * FLAGS.batch_size / rate:.0f} ms."
    )


if __name__ == "__main__":
    app.run(main)
