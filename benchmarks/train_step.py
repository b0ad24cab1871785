"""Updates a second on views that are given: ours against PyTorch.

    python -m benchmarks.train_step --peer_python=peer/bin/python

The default network (convolutions of 64 and 128 channels, stride 2, batch
normalization, ReLU, mean; linear projector), NT-Xent, Adam. Ours with plain
and with split batch normalization, and with Keras's own layer; PyTorch eager
and compiled, in both memory formats. Says how the step's time divides, and
what share of the machine's matrix-multiply rate it reaches.
"""

import time

import keras
import numpy as np
import tensorflow as tf
from absl import app
from absl import flags

from benchmarks import measure
from benchmarks import peer
from keras_contrastive import encoders
from keras_contrastive import layers
from keras_contrastive import models

FLAGS = flags.FLAGS
flags.DEFINE_integer(
    "batch_size", 500, "Images a batch, of two views each.", lower_bound=1
)
flags.DEFINE_integer("size", 32, "Side of a view in pixels.", lower_bound=1)
flags.DEFINE_integer("steps", 4, "Updates a run.", lower_bound=1)
flags.DEFINE_integer("runs", 5, "Rounds that count.", lower_bound=1)
flags.DEFINE_integer("splits", 10, "Splits of split normalization.")
flags.DEFINE_enum(
    "encoder", "two_conv", ["two_conv", "resnet18"], "Our network."
)
flags.DEFINE_string("precision", "float32", "Keras dtype policy.")


class GivenViews(models.SimCLR):
    """SimCLR on views that are given, to time the step without them."""

    def make_views(self, batch, step):
        return batch["images"]


class Ours:
    """Updates of a network with a normalization.

    Args:
        normalization: as encoders take it.
        split_ids: int32 array `(batch,)`, or None.
    """

    def __init__(self, normalization, split_ids=None):
        shape = (FLAGS.size, FLAGS.size, 3)
        encoder = getattr(encoders, FLAGS.encoder)(
            input_shape=shape, normalization=normalization
        )
        self.model = GivenViews(encoder, projector="linear", temperature=0.2)
        self.model.compile(optimizer=keras.optimizers.Adam(2e-3))
        self.train = self.model.make_train_function()
        count = FLAGS.batch_size
        given = np.random.default_rng(0).random((2 * count, *shape), "float32")
        batch = {"images": given, "positions": np.arange(count, dtype="int32")}
        if split_ids is not None:
            batch["split_ids"] = split_ids
        self.batches = iter(tf.data.Dataset.from_tensors(batch).repeat())

    def __call__(self):
        """Makes the updates of one run."""
        for _ in range(FLAGS.steps):
            logs = self.model.train_function(self.batches)
        float(logs["loss"])


def by_id():
    """Normalization by ids in random order, as the study's settings use."""
    return layers.SplitBatchNormalization(
        FLAGS.splits, "ids", split_statistics=True
    )


def candidates():
    """What is timed, by name."""
    splits = FLAGS.splits
    ids = np.random.default_rng(0).permutation(FLAGS.batch_size) % splits
    ours = {
        "ours, batch normalization": Ours("batch"),
        f"ours, {splits} contiguous splits": Ours(
            layers.SplitBatchNormalization(splits, "contiguous")
        ),
        f"ours, {splits} splits by id": Ours(by_id(), ids.astype("int32")),
        "ours, Keras's batch normalization": Ours(
            keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
        ),
        "ours, no normalization": Ours("none"),
    }
    if FLAGS.encoder != "two_conv":
        return ours
    options = {
        "batch_size": FLAGS.batch_size,
        "size": FLAGS.size,
        "steps": FLAGS.steps,
    }
    theirs = [
        (
            f"PyTorch {'compiled' if compiled else 'eager'}"
            + (", channels_last" if last else ""),
            "train_step",
            {**options, "compiled": compiled, "channels_last": last},
        )
        for compiled in (False, True)
        for last in (False, True)
    ]
    return {**ours, **peer.peers(*theirs)}


def matrix_rate(size=2048, repeats=5):
    """Floating-point operations a second of a large matrix product."""
    matrix = tf.random.uniform((size, size))
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        tf.linalg.matmul(matrix, matrix).numpy()
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best


def multiplications(encoder):
    """Operations of a forward pass of one view, convolutions only."""
    total = 0
    for layer in encoder.layers:
        if isinstance(layer, keras.layers.Conv2D):
            _, height, width, _ = layer.output.shape
            total += 2 * height * width * np.prod(layer.kernel.shape)
    return float(total)


def main(_):
    """Prints the table and the shares."""
    keras.config.set_dtype_policy(FLAGS.precision)
    print(measure.machine("keras", "tensorflow"))
    timed = candidates()
    seconds = measure.alternate(timed, FLAGS.runs)
    images = FLAGS.batch_size * FLAGS.steps
    print(measure.table(seconds, images, "images of two views"))
    first = next(iter(timed.values())).model.encoder
    # Backward is twice the work of forward, but for the first layer's input.
    operations = 3 * 2 * multiplications(first)
    least = min(next(iter(seconds.values())))
    rate = matrix_rate()
    share = operations * images / least / rate
    print(
        f"\n{operations / 1e6:.0f} MFLOP an image, "
        f"{operations * images / least / 1e9:.0f} GFLOP/s; this machine "
        f"multiplies matrices at {rate / 1e9:.0f} GFLOP/s: a share of "
        f"{share:.2f}."
    )


if __name__ == "__main__":
    app.run(main)
