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

from absl import app
from absl import flags

from benchmarks import measure
from benchmarks import peer
from benchmarks import training
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
    """The batches of an epoch by themselves, drawn and not used.

    Args:
        batches: `data.Batches`, or what the images on the device leave of it.
    """

    def __init__(self, batches):
        self.batches = batches

    def __call__(self):
        """Draws every batch, as often as it is trained on."""
        for _ in range(FLAGS.epochs):
            for index in range(len(self.batches)):
                self.batches[index]


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
    model, batches = timed[whole].model, timed[whole].batches
    drawing = Input(model.placed(batches, FLAGS.data_on_device))
    # The least is what noise disturbs least: these are differences.
    total, update, drawn = (
        min(each)
        for each in (
            seconds[whole],
            seconds[without_views],
            measure.alternate({"input": drawing}, FLAGS.runs)["input"],
        )
    )
    print(
        f"\nOf our time the input takes {drawn / total:.0%}, the views "
        f"{(total - update) / total:.0%}, the update and the rest "
        f"{(update - drawn) / total:.0%}."
    )


if __name__ == "__main__":
    app.run(main)
