"""Batch renormalization is Keras' own at fixed clipping, and is scheduled."""

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


@pytest.mark.parametrize(("ramp_steps", "run_steps"), [(0, None), (None, 3)])
def test_a_ramp_of_no_steps_is_at_its_end(ramp_steps, run_steps):
    layer = BatchRenormalization(ramp_steps=ramp_steps)
    layer.build((None, 3))
    if run_steps:
        layer.scale_ramp(run_steps)
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
