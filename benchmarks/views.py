"""Views a second: our compiled policies against the peer's workers.

    python -m benchmarks.views --peer_python=peer/bin/python

Two views of each image by SimCLR's policy for CIFAR-10 (crop, flip, jitter,
grayscale), from decoded images in memory to floats; the same by ten graded
policies in one batch, and in batches of one policy each.
"""

import os

import numpy as np
from absl import app
from absl import flags
from keras import ops

from benchmarks import device
from benchmarks import measure
from benchmarks import peer
from keras_contrastive import views

FLAGS = flags.FLAGS
flags.DEFINE_integer("count", 5000, "Images a run.", lower_bound=1)
flags.DEFINE_integer("batch_size", 500, "Images a batch.", lower_bound=1)
flags.DEFINE_integer("size", 32, "Side of images and views in pixels.")
flags.DEFINE_integer("runs", 5, "Rounds that count.", lower_bound=1)
flags.DEFINE_integer("workers", os.cpu_count(), "Worker processes of the peer.")


class Ours:
    """Two views of each image by a policy, in batches.

    Args:
        policy: a view policy.
        policy_ids: int32 array `(batch,)`, or None.
    """

    def __init__(self, policy, policy_ids=None):
        generator = np.random.default_rng(0)
        shape = (FLAGS.batch_size, FLAGS.size, FLAGS.size, 3)
        self.images = generator.integers(0, 256, shape, "uint8")
        positions = np.arange(FLAGS.batch_size, dtype="int32")
        self.draw = device.compiled(
            lambda images, step, view: policy(
                images,
                seed=0,
                step=step,
                view=view,
                positions=positions,
                policy_ids=policy_ids,
            )
        )

    def __call__(self):
        """Draws all views once."""
        for step in range(FLAGS.count // FLAGS.batch_size):
            images = ops.convert_to_tensor(self.images)
            for view in (0, 1):
                place = (
                    ops.convert_to_tensor(n, "int32") for n in (step, view)
                )
                made = self.draw(images, *place)
        device.wait(made)


def main(_):
    """Prints the table."""
    device.leave_memory()
    print(device.machine())
    names = [f"graded_{level}" for level in range(10)]
    ids = np.arange(FLAGS.batch_size, dtype="int32") % len(names)
    candidates = {
        "ours, simclr": Ours(views.policy("simclr")),
        "ours, one graded policy": Ours(views.policy("graded_9")),
        "ours, ten graded policies": Ours(views.policies(names), ids),
        **peer.peers(
            (
                f"lightly, {FLAGS.workers} workers",
                "views",
                {
                    "count": FLAGS.count,
                    "size": FLAGS.size,
                    "batch_size": FLAGS.batch_size,
                    "workers": FLAGS.workers,
                },
            )
        ),
    }
    seconds = measure.alternate(candidates, FLAGS.runs)
    print(measure.table(seconds, FLAGS.count, "images of two views"))


if __name__ == "__main__":
    app.run(main)
