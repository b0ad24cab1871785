"""Batch renormalization is Keras' own at fixed clipping, and is scheduled."""

import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive.layers import BatchRenormalization
from tests.layers.training import random_inputs
from tests.layers.training import train

CLIPPINGS = [(3.0, 5.0), (1.1, 0.1), (1.0, 0.0)]


@pytest.mark.parametrize(("rmax", "dmax"), CLIPPINGS)
@pytest.mark.parametrize("shape", [(8, 3), (4, 3, 2, 3), (4, 4, 4, 64)])
def test_fixed_clipping_is_keras(rmax, dmax, shape):
    clipping = {"rmax": rmax, "rmin": 1 / rmax, "dmax": dmax}
    expected = train(
        keras.layers.BatchNormalization(
            momentum=0.9,
            epsilon=1e-5,
            renorm=True,
            renorm_clipping=clipping,
            renorm_momentum=0.8,
        ),
        shape,
    )
    layer = BatchRenormalization(rmax, dmax, 0, renorm_momentum=0.8)
    found = train(layer, shape)
    for one, other in zip(found, expected, strict=True):
        scale = np.max(np.abs(other))
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4 * scale)


@pytest.mark.parametrize("affine", [True, False])
def test_no_clipping_room_is_batch_normalization(affine):
    arguments = {"center": affine, "scale": affine}
    expected = keras.layers.BatchNormalization(epsilon=1e-5, **arguments)
    layer = BatchRenormalization(rmax=1.0, dmax=0.0, **arguments)
    inputs = random_inputs((8, 3))
    np.testing.assert_allclose(
        layer(inputs, training=True),
        expected(inputs, training=True),
        rtol=1e-4,
        atol=1e-5,
    )


def test_unclipped_training_is_inference_by_the_renorm_moments():
    layer = BatchRenormalization(rmax=1e6, dmax=1e6, ramp_steps=0)
    layer.build((8, 3))
    layer.renorm_mean.assign([1.0, 2.0, 3.0])
    layer.renorm_stddev.assign([0.5, 1.0, 2.0])
    inputs = random_inputs((8, 3))
    expected = (inputs - [1.0, 2.0, 3.0]) / [0.5, 1.0, 2.0]
    np.testing.assert_allclose(
        layer(inputs, training=True), expected, rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize(
    ("step", "rmax", "dmax"),
    [
        (0, 1.0, 0.0),
        (5_000, 1.0, 0.0),
        (15_000, 1.0 + 2 * 10 / 35, 2.5),
        (25_000, 1.0 + 2 * 20 / 35, 5.0),
        (40_000, 3.0, 5.0),
        (90_000, 3.0, 5.0),
    ],
)
@pytest.mark.parametrize(
    ("ramp_steps", "run_steps", "ramp"),
    [
        (40_000, None, 40_000),
        (400, None, 400),
        (None, None, 40_000),
        (None, 1_600, 400),
        (40_000, 1_600, 40_000),
    ],
)
def test_clipping_follows_the_paper(
    step, rmax, dmax, ramp_steps, run_steps, ramp
):
    layer = BatchRenormalization(ramp_steps=ramp_steps)
    layer.build((None, 3))
    if run_steps:
        layer.scale_ramp(run_steps)
    layer.step.assign(step * ramp // 40_000)
    np.testing.assert_allclose(layer.clipping(), (rmax, dmax), rtol=1e-5)


def test_without_a_ramp_the_clipping_is_open():
    layer = BatchRenormalization(ramp_steps=0)
    layer.build((None, 3))
    np.testing.assert_allclose(layer.clipping(), (3.0, 5.0))


def test_the_shortest_run_begins_as_batch_normalization():
    layer = BatchRenormalization()
    layer.build((None, 3))
    layer.scale_ramp(3)
    np.testing.assert_allclose(layer.clipping(), (1.0, 0.0))
    layer(random_inputs((6, 3)), training=True)
    np.testing.assert_allclose(layer.clipping(), (3.0, 5.0))


def test_a_ramp_stays_where_training_has_begun():
    layer = BatchRenormalization()
    layer.build((None, 3))
    layer.scale_ramp(40)
    layer.scale_ramp(80)
    assert int(layer.ramp) == 20
    layer(random_inputs((6, 3)), training=True)
    layer.scale_ramp(400)
    assert int(layer.ramp) == 20


@pytest.mark.parametrize("steps", [1, 7, 100, 130])
def test_renorm_moments_are_means_until_there_are_enough_steps(steps):
    layer = BatchRenormalization(renorm_momentum=0.99)
    expected_mean = expected_std = None
    for step in range(steps):
        inputs = random_inputs((6, 3), step)
        layer(inputs, training=True)
        mean = inputs.mean(0)
        std = np.sqrt(inputs.var(0) + layer.epsilon)
        if step < 100:
            share = 1 / (step + 1)
        else:
            share = 0.01
        if expected_mean is None:
            expected_mean, expected_std = mean, std
        expected_mean = expected_mean + share * (mean - expected_mean)
        expected_std = expected_std + share * (std - expected_std)
    np.testing.assert_allclose(layer.renorm_mean, expected_mean, atol=1e-4)
    np.testing.assert_allclose(layer.renorm_stddev, expected_std, rtol=1e-4)


def test_a_short_run_is_corrected_towards_its_own_moments():
    """Not towards the mean 0 and deviation 1 that the weights begin with."""
    layer = BatchRenormalization()
    layer.build((None, 2))
    layer.scale_ramp(100)
    generator = np.random.default_rng(0)
    inputs = generator.normal(5.0, 0.1, (256, 2)).astype("float32")
    for _ in range(30):
        outputs = np.array(layer(inputs, training=True))
        np.testing.assert_allclose(outputs.mean(0), 0, atol=1e-2)
        np.testing.assert_allclose(outputs.std(0), 1, atol=1e-2)
    np.testing.assert_allclose(layer.clipping(), (3.0, 5.0))


def test_steps_are_counted_in_training_only_and_saved(tmp_path):
    layer = BatchRenormalization(2.0, 4.0, 8, name="renorm")
    model = keras.Sequential([keras.Input((3,)), layer])
    for step in range(5):
        model(random_inputs((6, 3), step), training=True)
        model(random_inputs((6, 3), step))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert int(loaded.layers[-1].step) == 5
    assert loaded.layers[-1].get_config() == layer.get_config()
    assert loaded.layers[-1].rmax == 2.0
    inputs = random_inputs((2, 3), seed=9)
    np.testing.assert_array_equal(loaded(inputs), model(inputs))


def test_low_precision_is_float32_inside():
    inputs = ops.cast(random_inputs((8, 3)), "float16")
    low = BatchRenormalization(ramp_steps=0, dtype="mixed_float16")
    high = BatchRenormalization(ramp_steps=0)
    outputs = low(inputs, training=True)
    assert keras.backend.standardize_dtype(outputs.dtype) == "float16"
    np.testing.assert_allclose(
        outputs, high(inputs, training=True), rtol=0.01, atol=0.01
    )
    np.testing.assert_allclose(
        low.moving_variance, high.moving_variance, rtol=1e-5
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rmax": 0.5}, "`rmax` must be at least 1, received 0.5"),
        ({"dmax": -1}, "`dmax` must be at least 0, received -1"),
        ({"ramp_steps": -1}, "`ramp_steps` must be at least 0, received -1"),
        ({"synchronized": True}, "`synchronized` must be False"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        BatchRenormalization(**arguments)


def test_another_axis_is_refused():
    with pytest.raises(ValueError, match="`axis` must be the last.* 1 for"):
        BatchRenormalization(axis=1).build((None, 3, 4, 4))


TWO_REPLICAS = """
import numpy as np
from keras import ops
from keras_contrastive import distribution, encoders, models
from keras_contrastive.layers import BatchRenormalization

distribution.logical_cpus(2)
strategy = distribution.strategy("mirrored", devices=["CPU:0", "CPU:1"])

import tensorflow as tf

inputs = np.random.default_rng(0).normal(2, 3, (8, 3)).astype("float32")
with strategy.scope():
    layer = BatchRenormalization()
    layer.build((None, 3))

@tf.function
def step():
    replica = tf.distribute.get_replica_context().replica_id_in_sync_group
    mine = 4 * replica + tf.range(4)
    return layer(tf.gather(inputs, mine), training=True)

for count in range(3):
    outputs = strategy.experimental_local_results(strategy.run(step))
    # A replica normalizes by its own rows.
    for rows, found in zip(np.split(inputs, 2), outputs):
        expected = (rows - rows.mean(0)) / np.sqrt(rows.var(0) + 1e-5)
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)
# The moving moments are means over replicas, and the steps are steps.
mean = np.mean([rows.mean(0) for rows in np.split(inputs, 2)], axis=0)
std = np.mean([np.sqrt(rows.var(0) + 1e-5) for rows in np.split(inputs, 2)], 0)
np.testing.assert_allclose(layer.renorm_mean, mean, rtol=1e-4, atol=1e-5)
np.testing.assert_allclose(layer.renorm_stddev, std, rtol=1e-4)
assert ops.convert_to_numpy(layer.step) == 3

with strategy.scope():
    encoder = encoders.two_conv(
        input_shape=(8, 8, 3), channels=(4, 6), normalization="batch_renorm"
    )
    model = models.SimCLR(encoder, projector="linear", views="weak")
    model.compile(optimizer="sgd")
images = np.random.default_rng(0).integers(0, 256, (16, 8, 8, 3), "uint8")
history = model.fit(images, batch_size=4, epochs=3, verbose=0)
layer = encoder.get_layer("normalization_1")
assert ops.convert_to_numpy(layer.step) == 12
assert ops.convert_to_numpy(layer.ramp) == 3
np.testing.assert_allclose(layer.clipping(), (3.0, 5.0))
assert np.isfinite(history.history["loss"]).all()
"""


def test_replicas_normalize_their_own_rows_and_share_their_moments(tf):
    process = subprocess.run(
        [sys.executable, "-c", TWO_REPLICAS],
        cwd=pathlib.Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr[-3000:]
