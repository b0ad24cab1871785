"""What images on the device, and several steps a call, give a small network.

    python -m benchmarks.on_device

Epochs of SimCLR by `fit`, from decoded images to updates: batches sent one by
one or gathered on the device, one step or several in a compiled call. Keras
on PyTorch knows no several steps; there it is one.
"""

import keras
from absl import app
from absl import flags

from benchmarks import training
from keras_contrastive import views

FLAGS = flags.FLAGS
flags.DEFINE_integer("count", 5000, "Images an epoch.", lower_bound=1)
# Several, or there is nothing to compare.
FLAGS.set_default("steps_per_execution", 10)


def candidates():
    """What is timed, by name; the way for small networks first."""
    images = training.random_images(FLAGS.count)
    policy = views.policy("simclr")
    steps = [FLAGS.steps_per_execution, 1]
    if keras.backend.backend() == "torch":
        steps = [1]
    return {
        f"ours, {'on the device' if placed else 'sent'}, {several} a call": (
            training.Training(
                images,
                policy,
                data_on_device=placed,
                steps_per_execution=several,
            )
        )
        for placed in (True, False)
        for several in steps
    }


def main(_):
    """Prints the table."""
    training.start()
    training.compare(candidates())


if __name__ == "__main__":
    app.run(main)
