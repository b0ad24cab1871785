"""What is refused, and what is warned of, on several replicas."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]

ON_TWO_REPLICAS = """
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_contrastive import distribution
from keras_contrastive import encoders
from keras_contrastive import models

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
outside = encoder()
with strategy.scope():
    mixed = model_of(outside)

with pytest.raises(ValueError, match="number, 2; received 9, choose 8 or 10"):
    model.fit(IMAGES, batch_size=9)
with pytest.raises(ValueError, match="number, 2; received 1, choose 2"):
    model.fit(IMAGES, batch_size=1)
with pytest.raises(ValueError, match="number, 2; received 9, choose 8 or 10"):
    model.evaluate(IMAGES, batch_size=9)
with pytest.raises(ValueError, match="gradient_accumulation_steps"):
    summing.fit(IMAGES)
with pytest.raises(ValueError, match="outside of the strategy's scope"):
    mixed.fit(IMAGES)
with pytest.warns(UserWarning, match=r"half \\(Dropout\\) draw the same"):
    dropping.fit(IMAGES, verbose=0)
with warnings.catch_warnings():
    warnings.simplefilter("error")
    model.fit(IMAGES, epochs=2, verbose=0)
# By default a batch is as many of the images as the replicas can share.
assert model.step.numpy() == 2

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
np.testing.assert_allclose(
    model.predict(batches(10), verbose=0), whole[:20], rtol=1e-5
)
"""


def test_slips_are_answered_on_two_replicas():
    process = subprocess.run(
        [sys.executable, "-c", ON_TWO_REPLICAS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
    )
    assert process.returncode == 0, process.stderr[-3000:]
