"""Where the time of a training step goes, on a processor.

    python -m benchmarks.step_parts

Epochs of SimCLR from decoded images in memory to updates, as TensorFlow's
profiler records them. Operations that run beside each other share the time;
where none runs, Python prepares the next step, or waits for its input. The
profiler itself takes time, too.
"""

import re
import statistics
import sys

import keras
from absl import app
from absl import flags

from benchmarks import device
from benchmarks import operations
from benchmarks import timeline
from benchmarks import training

try:
    import tensorflow as tf
except ImportError:
    # `main` says so, in a sentence.
    tf = None

FLAGS = flags.FLAGS
flags.DEFINE_integer("steps", 8, "Updates an epoch.", lower_bound=1)

# An operation belongs to the first part whose pattern its name has. Of this
# network the views alone are compiled.
PARTS = {
    "views": timeline.PROGRAM,
    "convolutions, backward": "Conv2DBackprop",
    "convolutions, forward": "Conv2D",
    "normalization and ReLU, backward": "gradient_tape.*(normalization|relu)",
    "normalization and ReLU, forward": "normalization|relu",
    "update": "^adam/",
    "mean, projector and loss, backward": "gradient_tape",
    "mean, projector, loss and figures, forward": "",
}


def part_of(name):
    """The part of a step that an operation belongs to.

    Args:
        name: str, the operation's name and type.

    Returns:
        Key of `PARTS`.
    """
    return next(
        part for part, pattern in PARTS.items() if re.search(pattern, name)
    )


def main(_):
    """Prints the table."""
    if keras.backend.backend() != "tensorflow":
        sys.exit(
            "benchmarks.step_parts reads TensorFlow's profiler, received the "
            f"backend {keras.backend.backend()}; give "
            "KERAS_BACKEND=tensorflow."
        )
    if tf.config.list_physical_devices("GPU"):
        sys.exit(
            "benchmarks.step_parts reads what a processor does, and there is "
            "a GPU; hide it: CUDA_VISIBLE_DEVICES=-1."
        )
    training.start()
    images = training.random_images(FLAGS.batch_size * FLAGS.steps)
    epoch = training.Training(images, steps_per_execution=1)
    # The first compiles.
    epoch()
    epochs = []
    for number in range(FLAGS.runs):
        events = [
            (start, end, part_of(name))
            for start, end, name in timeline.recorded(epoch)
        ]
        seconds = timeline.shared(events)
        epochs.append(
            {
                part: seconds[part] / FLAGS.steps
                for part in (*PARTS, timeline.BETWEEN)
            }
        )
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
