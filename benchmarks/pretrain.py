"""Pretraining from decoded images in memory to updates, views included.

    python -m benchmarks.pretrain --peer_python=peer/bin/python

Epochs of SimCLR: ours through `fit`, with plain and with split batch
normalization, the peer's through its own transforms in worker processes.
PyTorch on views that are given is the peer's step without its input. Says how
our time divides into input, views and the update.

The field's benchmark on a GPU: --encoder=resnet18 --precision=mixed_bfloat16
--batch_size=512 --count=50000 --splits=8 --steps_per_execution=97, which is
one compiled call an epoch.
"""

import os
import statistics

import numpy as np
from absl import app
from absl import flags

from benchmarks import measure
from benchmarks import peer
from benchmarks import training
from keras_contrastive import data
from keras_contrastive import layers
from keras_contrastive import views

FLAGS = flags.FLAGS
flags.DEFINE_integer("count", 5000, "Images an epoch.", lower_bound=1)
flags.DEFINE_bool(
    "data_on_device",
    None,
    "Whether our images live on the device; by default where that is a GPU.",
)
flags.DEFINE_integer("workers", os.cpu_count(), "Worker processes of the peer.")


class Input:
    """The batches of an epoch by themselves, as `fit` gets them, not used.

    Args:
        model: ContrastiveModel.
        batches: `data.Batches`.
    """

    def __init__(self, model, batches):
        self.model = model
        self.batches = batches

    @property
    def num_images(self):
        """How many images a run draws."""
        return len(self.batches) * FLAGS.batch_size * FLAGS.epochs

    def __call__(self):
        """Draws every batch, as often as it is trained on."""
        placed = self.model.placed(self.batches, FLAGS.data_on_device)
        for _ in range(FLAGS.epochs):
            fed, _ = self.model.fed(placed)
            # Keras's own data sets are indexed, TensorFlow's are not.
            if hasattr(fed, "__getitem__"):
                for index in range(len(fed)):
                    fed[index]
            else:
                for _ in fed:
                    pass


def inputs(model, images):
    """The orders of `data.batches`, by name, of two subsets.

    Args:
        model: ContrastiveModel.
        images: uint8 array `(count, height, width, channels)`.

    Returns:
        Dict from names to `Input`.
    """
    subset_ids = np.arange(len(images)) % 2
    orders = ["shuffled", "stratified"]
    if len(images) // 2 >= FLAGS.batch_size:
        orders.append("homogeneous")
    return {
        order: Input(
            model,
            data.batches(
                images, FLAGS.batch_size, order=order, subset_ids=subset_ids
            ),
        )
        for order in orders
    }


def candidates():
    """What is timed, by name."""
    images = training.random_images(FLAGS.count)
    splits = layers.SplitBatchNormalization(FLAGS.splits, "contiguous")
    policy = views.policy("simclr")
    ours = {
        "ours": {"views": policy},
        f"ours, {FLAGS.splits} contiguous splits": {
            "views": policy,
            "normalization": splits,
        },
        "ours, without views": {"views": "identity"},
    }
    options = training.peer_options()
    lightly = {
        **options,
        "count": FLAGS.count,
        "epochs": FLAGS.epochs,
        "workers": FLAGS.workers,
        "channels_last": FLAGS.peer_channels_last,
    }
    steps = FLAGS.count // FLAGS.batch_size * FLAGS.epochs
    return {
        **{
            name: training.Training(
                images, data_on_device=FLAGS.data_on_device, **changed
            )
            for name, changed in ours.items()
        },
        **peer.peers(
            (f"lightly, {FLAGS.workers} workers", "pretrain", lightly),
            *peer.given_views(steps, **options),
        ),
    }


def main(_):
    """Prints the table and the shares."""
    training.start()
    timed = candidates()
    whole, _, without_views = list(timed)[:3]
    seconds = training.compare(timed)
    images = training.random_images(FLAGS.count)
    drawings = inputs(timed[whole].model, images)
    drawing = measure.alternate(drawings, FLAGS.runs)
    # The least is what noise disturbs least: these are differences.
    total, update, drawn = (
        min(each)
        for each in (
            seconds[whole],
            seconds[without_views],
            drawing["shuffled"],
        )
    )
    print(
        f"\nOf our time the input takes {drawn / total:.0%}, the views "
        f"{(total - update) / total:.0%}, the update and the rest "
        f"{(update - drawn) / total:.0%}."
    )
    rates = (
        f"{order} {drawings[order].num_images / statistics.median(each):,.0f}"
        for order, each in drawing.items()
    )
    print(f"Batches by themselves, images a second: {', '.join(rates)}.")


if __name__ == "__main__":
    app.run(main)
