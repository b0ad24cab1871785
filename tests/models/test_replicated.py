"""What is refused, and what is warned of, on several replicas."""

import pathlib
import subprocess
import sys

import pytest

from tests.quick_compilation import environment

ROOT = pathlib.Path(__file__).parents[2]

ON_TWO_REPLICAS = """
import contextlib
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_contrastive import data
from keras_contrastive import distribution
from keras_contrastive import encoders
from keras_contrastive import layers
from keras_contrastive import models
from keras_contrastive.distribution import replicas
from keras_contrastive.models import triplet_model

devices = distribution.logical_cpus(2)
with pytest.raises(ValueError, match="this machine's CPU:0, CPU:1"):
    distribution.strategy("mirrored", ["GPU:0"])
with pytest.raises(ValueError, match="names one twice"):
    distribution.strategy("mirrored", ["CPU:0", "CPU:0"])
strategy = distribution.strategy("mirrored", devices)
with pytest.raises(RuntimeError, match="before TensorFlow computes"):
    distribution.logical_cpus(4)

IMAGES = np.random.default_rng(0).integers(0, 256, (21, 8, 8, 3), "uint8")


def encoder():
    return encoders.two_conv((8, 8, 3), (2, 3), normalization="none")


def model_of(encoder, **optimizer):
    model = models.SimCLR(encoder, projector=None, views="weak")
    model.compile(
        keras.optimizers.SGD(0.1, **optimizer), run_eagerly=True
    )
    return model


with strategy.scope():
    model = model_of(encoder())
    summing = model_of(encoder(), gradient_accumulation_steps=2)
    images = keras.Input((8, 8, 3))
    dropped = keras.layers.Dropout(0.5, name="half")(encoder()(images))
    dropping = model_of(keras.Model(images, dropped))
    flipped = keras.layers.RandomFlip(name="mirror")(images)
    flipping = model_of(keras.Model(images, encoder()(flipped)))
    # What drops nothing draws nothing.
    rows = keras.layers.Reshape((8, 24))(images)
    recurrent = model_of(keras.Model(images, keras.layers.GRU(3)(rows)))
outside = encoder()
with strategy.scope():
    mixed = model_of(outside)

with pytest.raises(ValueError, match="number, 2; received 9, choose 8 or 10"):
    model.fit(IMAGES, batch_size=9)
with pytest.raises(ValueError, match="at least 2, received 1; SimCLR"):
    model.fit(IMAGES, batch_size=1)
with pytest.raises(ValueError, match="number, 2; received 9, choose 8 or 10"):
    model.evaluate(IMAGES, batch_size=9)
with pytest.raises(ValueError, match="gradient_accumulation_steps"):
    summing.fit(IMAGES)
with pytest.raises(ValueError, match="outside of the strategy's scope"):
    mixed.fit(IMAGES)
with pytest.warns(UserWarning, match=r"half \\(Dropout\\) draw the same"):
    dropping.fit(IMAGES, verbose=0)
with pytest.warns(UserWarning, match=r"mirror \\(RandomFlip\\) draw the same"):
    flipping.fit(IMAGES, verbose=0)
with warnings.catch_warnings():
    warnings.simplefilter("error")
    recurrent.fit(IMAGES, verbose=0)
    model.fit(IMAGES, epochs=2, verbose=0)
# By default a batch is as many of the images as the replicas can share.
assert model.step.numpy() == 2

with pytest.raises(ValueError, match="a multiple of 2 images.*received 1"):
    model.fit(IMAGES[:1])
with pytest.raises(ValueError, match="`steps_per_epoch` must be None or 2"):
    model.fit(IMAGES, batch_size=10, steps_per_epoch=1)
with strategy.scope():
    looping = models.SimCLR(encoder(), projector=None)
    looping.compile(keras.optimizers.SGD(0.1), steps_per_execution=2)
    unscoped = models.SimCLR(encoder(), projector=None)
sgd = keras.optimizers.SGD(0.1)
sgd.build(unscoped.trainable_variables)
unscoped.compile(sgd)
with pytest.raises(ValueError, match="`steps_per_execution` must be 1"):
    looping.fit(IMAGES)
with pytest.raises(ValueError, match="outside of the strategy's scope"):
    unscoped.fit(IMAGES)

# Lots of rows, of which each replica has a part, know no global splits.
splits = layers.SplitBatchNormalization(2, "contiguous", synchronized=True)
for arguments, name in (
    ({"view_order": "view_major"}, "SimCLR"),
    ({"symmetric": True, "queue_size": 40}, "MoCo"),
):
    with strategy.scope():
        split = getattr(models, name)(
            encoders.two_conv((8, 8, 3), (2, 3), normalization=splits),
            projector=None,
            **arguments,
        )
        split.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    with pytest.raises(ValueError, match="come in several lots"):
        split.fit(IMAGES)

# Of one split on each, "pooled" knows how far the replicas lie apart.
with strategy.scope():
    one = layers.SplitBatchNormalization(1, "contiguous", aggregation="pooled")
    one.build((None, 3))
two = layers.SplitBatchNormalization(2, "contiguous", aggregation="pooled")
rows = np.random.default_rng(1).normal(size=(8, 3)).astype("float32")
rows[4:] += 5.0
two(rows, training=True)

@tf.function
def normalize():
    mine = 4 * replicas.index() + tf.range(4)
    return one(tf.gather(tf.constant(rows), mine), training=True)

strategy.run(normalize)
np.testing.assert_allclose(
    one.moving_variance.numpy(), two.moving_variance.numpy(), rtol=1e-4
)

# Weights count as on one device, and what fills a batch up does not.
labels = np.arange(21, dtype="int32") % 3
weights = np.linspace(0.1, 3.0, 21, dtype="float32")
given = {"images": IMAGES, "labels": labels, "weights": weights}
figures, losses = [], []
for scope in (strategy.scope(), contextlib.nullcontext()):
    with scope:
        keras.utils.set_random_seed(1)
        classifier = models.Classifier(encoder(), 3)
        classifier.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
        simclr = model_of(encoder())
    figures.append(
        [
            classifier.evaluate(given, batch_size=8, verbose=0),
            classifier.evaluate(IMAGES, labels, batch_size=8, verbose=0),
        ]
    )
    full = data.batches(IMAGES[:16], 8, order="sequential")
    losses.append(simclr.evaluate(full, verbose=0)[0])
np.testing.assert_allclose(*figures, rtol=1e-5)
np.testing.assert_allclose(*losses, rtol=1e-5)
assert not np.allclose(figures[0][0], figures[0][1])
with strategy.scope():
    keras.utils.set_random_seed(1)
    models.Classifier(encoder(), 3)
    simclr = model_of(encoder())
rest = data.batches(IMAGES, 8, order="sequential", drop_remainder=False)
with pytest.warns(UserWarning, match="5 of 21 images do not fill a batch of 8"):
    loss = simclr.evaluate(rest, verbose=0)[0]
np.testing.assert_allclose(loss, losses[0], rtol=1e-5)

# As many anchors are measured, and the same ones, as on one device.
triplet_model.MEASURED_ANCHORS = 6
shares = []
for scope in (strategy.scope(), contextlib.nullcontext()):
    with scope:
        keras.utils.set_random_seed(1)
        triplets = models.TripletModel(
            encoder(), projector=None, views="weak", margin=0.05
        )
        triplets.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    figures = triplets.evaluate(
        IMAGES[:16], labels[:16], batch_size=16, verbose=0, return_dict=True
    )
    shares.append(figures["active_triplets"])
assert 0.05 < shares[0] < 0.95
np.testing.assert_allclose(*shares, rtol=1e-5)

# Of its own rows only a replica has another loss, but figures are of all.
figures = []
for scope in (strategy.scope(), contextlib.nullcontext()):
    with scope:
        keras.utils.set_random_seed(1)
        simclr = models.SimCLR(
            encoder(), projector=None, views="weak", candidates="local"
        )
        simclr.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    options = {"batch_size": 16, "verbose": 0, "return_dict": True}
    figures.append(simclr.evaluate(IMAGES[:16], **options))
assert figures[0]["loss"] < figures[1]["loss"] - 0.1
for name in ("uniformity", "spread"):
    found = [each[f"projection_{name}"] for each in figures]
    np.testing.assert_allclose(*found, rtol=1e-4)

# Data that is not ours: an even batch trains, a rest of one is refused.
def batches(size):
    return tf.data.Dataset.from_tensor_slices(IMAGES[:20]).batch(size)

model.fit(batches(10), verbose=0)
with pytest.raises(tf.errors.InvalidArgumentError, match="equally many"):
    model.fit(batches(19), verbose=0)

# Any number of images is predicted, by any size of batch.
whole = model.predict(IMAGES, batch_size=21, verbose=0)
for size in (3, 4, 21, 50):
    found = model.predict(IMAGES, batch_size=size, verbose=0)
    np.testing.assert_allclose(found, whole, rtol=1e-5)
for same in (batches(10), tf.constant(IMAGES[:20]), {"images": IMAGES[:20]}):
    np.testing.assert_allclose(
        model.predict(same, None, 0), whole[:20], rtol=1e-5
    )
"""


def test_slips_are_answered_on_two_replicas():
    pytest.importorskip("tensorflow")
    process = subprocess.run(
        [sys.executable, "-c", ON_TWO_REPLICAS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=environment(KERAS_BACKEND="tensorflow"),
    )
    assert process.returncode == 0, process.stderr[-3000:]
