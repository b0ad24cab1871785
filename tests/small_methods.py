"""Small models of every method, and images that they train on in seconds."""

import numpy as np

from keras_contrastive import encoders
from keras_contrastive import layers
from keras_contrastive import models

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), "uint8")
LABELS = np.arange(40) % 4
BATCH_SIZE = 8


def encoder(size=8, normalization="synchronized"):
    """A small network, normalized by the global batch unless told."""
    return encoders.two_conv(
        input_shape=(size, size, 3),
        channels=(4, 6),
        normalization=normalization,
    )


def method(name, normalization="synchronized", **arguments):
    """A function that builds a method's model."""
    arguments = {"projector": "linear", "views": "weak", **arguments}
    return lambda: getattr(models, name)(
        encoder(normalization=normalization), **arguments
    )


def splits(count, assignment="contiguous", synchronized=False):
    """Batch normalization by parts of a batch, local unless told."""
    return layers.SplitBatchNormalization(
        count, assignment, synchronized=synchronized
    )


# Each trains to the same numbers on any number of replicas.
METHODS = {
    "simclr": method("SimCLR"),
    # Adversarial views are a split by id, which spans all replicas.
    "simclr_adversary": method(
        "SimCLR", "batch", adversary=models.Adversary(0.03)
    ),
    "simclr_splits": method("SimCLR", splits(4, synchronized=True)),
    "simclr_chunks": method("SimCLR", chunk_size=5),
    "simclr_interleaved": method("SimCLR", splits(2, "interleaved", True)),
    "moco": method("MoCo", queue_size=24),
    # The queue wraps around in the middle of a batch.
    "moco_symmetric": method("MoCo", queue_size=20, symmetric=True),
    # Its predictor is normalized, too.
    "moco_v3": method("MoCoV3", predictor="mlp"),
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
