"""Trains every method on one and on two replicas, and prints how they differ.

    python -m tests.distribution.train_on_replicas

One process, whose processor TensorFlow takes for two. Statistics of batch
normalization are synchronized, updates are those of SGD with momentum: Adam
would make steps of the rounding noise in zero gradients.
"""

import json
import warnings

import numpy as np
import tensorflow as tf

PROCESSOR = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    PROCESSOR, [tf.config.LogicalDeviceConfiguration()] * 2
)

import keras  # noqa: E402

from keras_contrastive import data  # noqa: E402
from keras_contrastive import encoders  # noqa: E402
from keras_contrastive import layers  # noqa: E402
from keras_contrastive import models  # noqa: E402

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), "uint8")
LABELS = np.arange(40) % 4
BATCH_SIZE = 8


def encoder(size=8, normalization=None):
    """A small network, normalized by the global batch."""
    if normalization is None:
        normalization = layers.SplitBatchNormalization(
            1, "contiguous", synchronized=True
        )
    return encoders.two_conv(
        input_shape=(size, size, 3),
        channels=(4, 6),
        normalization=normalization,
    )


def method(name, **arguments):
    """A function that builds a method's model."""
    arguments = {"projector": "linear", "views": "weak", **arguments}
    return lambda: getattr(models, name)(encoder(), **arguments)


METHODS = {
    "simclr": method("SimCLR"),
    "moco": method("MoCo", queue_size=24),
    # The queue wraps around in the middle of a batch.
    "moco_symmetric": method("MoCo", queue_size=20, symmetric=True),
    "moco_v3": method("MoCoV3", predictor="linear"),
    "adco": method("AdCo", negatives=20),
    "supcon": method("SupCon"),
    "triplet": method("TripletModel", supervised=False, mining="nonzero"),
    "triplet_labels": method("TripletModel"),
    "siamese": method("Siamese"),
    "siamese_labels": method("Siamese", supervised=True),
    "siamese_composite": method("Siamese", objective="composite"),
    "cpc": lambda: models.CPC(
        encoder(4, "group"), image_shape=(8, 8, 3), patch_size=4
    ),
    "cross_entropy": lambda: models.Classifier(encoder(), 4, fine_tune=True),
}


def train(build, strategy):
    """Losses, figures and weights of five steps."""
    with strategy.scope():
        keras.utils.set_random_seed(0)
        model = build()
        model.compile(
            optimizer=keras.optimizers.SGD(0.1, momentum=0.9),
            jit_compile=False,
        )
    batches = data.batches(IMAGES, BATCH_SIZE, labels=LABELS)
    history = model.fit(batches, epochs=1, verbose=0).history
    return {name: values[0] for name, values in history.items()}, [
        np.asarray(each, "float64") for each in model.get_weights()
    ]


def differences(one, two):
    """The largest differences, relative to what is compared."""
    figures = [
        abs(two[0][name] - value) / max(abs(value), 1e-2)
        for name, value in one[0].items()
    ]
    weights = [
        np.abs(mine - its).max() / (np.abs(mine).max() + 1e-3)
        for mine, its in zip(one[1], two[1], strict=True)
    ]
    return {"figures": max(figures), "weights": max(weights)}


def main():
    """Prints a JSON object: method -> differences."""
    warnings.simplefilter("ignore")
    one = tf.distribute.get_strategy()
    two = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    found = {
        name: differences(train(build, one), train(build, two))
        for name, build in METHODS.items()
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
