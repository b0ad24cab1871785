"""Updates a second on views that are given: ours against PyTorch.

    python -m benchmarks.train_step --peer_python=peer/bin/python

The default network (convolutions of 64 and 128 channels, stride 2, batch
normalization, ReLU, mean; linear projector), NT-Xent, Adam; or ResNet-18 as
in `benchmarks.pretrain`. Ours with plain and with split batch normalization,
with Keras's own layer and without; PyTorch eager and compiled, in both memory
formats. Of our images, which live on the device, the views are copies.
"""

import keras
import numpy as np
from absl import app
from absl import flags

from benchmarks import peer
from benchmarks import training
from keras_contrastive import layers

FLAGS = flags.FLAGS
flags.DEFINE_integer("steps", 4, "Updates an epoch.", lower_bound=1)


def ours(normalization="batch", split_ids=None):
    """Updates of a network with a normalization.

    Args:
        normalization: as encoders take it.
        split_ids: int32 array `(images,)`, or None.

    Returns:
        `training.Training`.
    """
    images = training.random_images(FLAGS.batch_size * FLAGS.steps)
    return training.Training(
        images, "identity", normalization, split_ids, data_on_device=True
    )


def candidates():
    """What is timed, by name."""
    splits = FLAGS.splits
    # In random order, as the study's settings have them.
    images = FLAGS.batch_size * FLAGS.steps
    ids = np.random.default_rng(0).permutation(images) % splits
    return {
        "ours, batch normalization": ours(),
        f"ours, {splits} contiguous splits": ours(
            layers.SplitBatchNormalization(splits, "contiguous")
        ),
        f"ours, {splits} splits by id": ours(
            layers.SplitBatchNormalization(
                splits, "ids", split_statistics=True
            ),
            ids.astype("int32"),
        ),
        "ours, Keras's batch normalization": ours(
            keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
        ),
        "ours, no normalization": ours("none"),
        **peer.peers(
            *peer.given_views(
                FLAGS.steps * FLAGS.epochs, **training.peer_options()
            )
        ),
    }


def main(_):
    """Prints the table."""
    training.start()
    training.compare(candidates())


if __name__ == "__main__":
    app.run(main)
