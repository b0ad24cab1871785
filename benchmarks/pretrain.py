"""Pretraining from decoded images in memory to updates, views included.

    python -m benchmarks.pretrain --peer_python=peer/bin/python

An epoch of SimCLR with the default network: ours through `fit`, the peer's
through its own transforms in worker processes, its loss and Adam. Says how
our time divides into input, views and the update.
"""

import keras
import numpy as np
from absl import app
from absl import flags

from benchmarks import measure
from benchmarks import peer
from keras_contrastive import data
from keras_contrastive import encoders
from keras_contrastive import models
from keras_contrastive import views

FLAGS = flags.FLAGS
flags.DEFINE_integer("count", 5000, "Images an epoch.", lower_bound=1)
flags.DEFINE_integer("batch_size", 500, "Images a batch.", lower_bound=1)
flags.DEFINE_integer("size", 32, "Side of the images in pixels.")
flags.DEFINE_integer("workers", 2, "Worker processes of the peer.")
flags.DEFINE_integer("runs", 5, "Rounds that count.", lower_bound=1)


class Epoch:
    """An epoch of `fit`.

    Args:
        policy: a view policy.
    """

    def __init__(self, policy):
        shape = (FLAGS.size, FLAGS.size, 3)
        generator = np.random.default_rng(0)
        images = generator.integers(0, 256, (FLAGS.count, *shape), "uint8")
        self.batches = data.batches(images, FLAGS.batch_size)
        encoder = encoders.two_conv(input_shape=shape)
        self.model = models.SimCLR(
            encoder, projector="linear", views=policy, temperature=0.2
        )
        self.model.compile(optimizer=keras.optimizers.Adam(2e-3))

    def __call__(self):
        """Trains for an epoch."""
        self.model.fit(self.batches, verbose=0)


class Input:
    """The batches of an epoch by themselves, drawn and not used.

    Args:
        batches: `data.Batches`.
    """

    def __init__(self, batches):
        self.batches = batches

    def __call__(self):
        """Draws every batch once."""
        for index in range(len(self.batches)):
            self.batches[index]


def main(_):
    """Prints the table and the shares."""
    print(measure.machine("keras", "tensorflow"))
    whole = Epoch(views.policy("simclr"))
    candidates = {
        "ours": whole,
        "ours, without views": Epoch(views.policy("identity")),
        "ours, input alone": Input(whole.batches),
        **peer.peers(
            (
                f"lightly, {FLAGS.workers} workers",
                "pretrain",
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
    print(measure.table(seconds, FLAGS.count))
    # The least is what noise disturbs least: these are differences.
    total, update, drawn = (min(seconds[name]) for name in list(candidates)[:3])
    print(
        f"\nOf our time the input takes {drawn / total:.0%}, the views "
        f"{(total - update) / total:.0%}, the update and the rest "
        f"{(update - drawn) / total:.0%}."
    )


if __name__ == "__main__":
    app.run(main)
