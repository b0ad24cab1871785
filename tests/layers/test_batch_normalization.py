"""Our batch normalization is Keras' own."""

import keras
import numpy as np
import pytest

from keras_contrastive.layers import BatchNormalization
from tests.layers.training import random_inputs
from tests.layers.training import train

RECIPE = {"momentum": 0.9, "epsilon": 1e-5}


@pytest.mark.parametrize("shape", [(8, 5), (3, 4, 5), (4, 3, 2, 5)])
@pytest.mark.parametrize("affine", [True, False])
def test_it_trains_as_keras_does(shape, affine):
    arguments = {**RECIPE, "center": affine, "scale": affine}
    found = train(BatchNormalization(center=affine, scale=affine), shape)
    expected = train(keras.layers.BatchNormalization(**arguments), shape)
    for one, other in zip(found, expected, strict=True):
        scale = np.max(np.abs(other))
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=2e-5 * scale)


@pytest.mark.parametrize("shape", [(8, 5), (4, 16, 2, 64)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_alone_there_is_nobody_to_synchronize_with(shape, dtype):
    found = train(BatchNormalization(synchronized=True, dtype=dtype), shape)
    expected = train(
        keras.layers.BatchNormalization(**RECIPE, dtype=dtype), shape
    )
    for one, other in zip(found, expected, strict=True):
        scale = np.max(np.abs(other))
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=2e-5 * scale)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("shape", [(8, 5), (4, 3, 2, 5)])
def test_low_precision_trains_as_keras_does(shape, policy):
    layer = BatchNormalization(dtype=policy)
    found = train(layer, shape, steps=1)
    expected = train(
        keras.layers.BatchNormalization(dtype=policy, **RECIPE), shape, steps=1
    )
    assert layer.moving_variance.dtype == "float32"
    for one, other in zip(found, expected, strict=True):
        scale = np.max(np.abs(other))
        np.testing.assert_allclose(one, other, rtol=0.02, atol=0.02 * scale)


def test_what_the_kernel_cannot_do_is_left_to_keras():
    inputs = random_inputs((4, 3, 5))
    mask = np.array([[1, 1, 0], [1, 0, 0], [1, 1, 1], [0, 1, 1]], "bool")
    for arguments, call in (
        ({}, {"mask": mask}),
        ({"axis": 1}, {}),
        ({"dtype": "float64"}, {}),
        ({"renorm": True}, {}),
    ):
        ours = BatchNormalization(**arguments)
        keras_own = keras.layers.BatchNormalization(**RECIPE, **arguments)
        np.testing.assert_allclose(
            ours(inputs, training=True, **call),
            keras_own(inputs, training=True, **call),
            rtol=1e-5,
            atol=1e-5,
        )
        for one, other in zip(ours.weights, keras_own.weights, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5)


def test_weights_can_be_exchanged_with_keras():
    ours, keras_own = BatchNormalization(), keras.layers.BatchNormalization()
    for layer in (ours, keras_own):
        layer.build((None, 3))
    names = [weight.name for weight in keras_own.weights]
    assert [weight.name for weight in ours.weights] == names
    ours.set_weights(keras_own.get_weights())
    config = keras_own.get_config()
    assert ours.get_config().keys() == config.keys()
    assert (ours.momentum, ours.epsilon) == (0.9, 1e-5)


def test_a_frozen_layer_infers():
    layer = BatchNormalization(trainable=False)
    inputs = random_inputs((6, 3))
    outputs = layer(inputs, training=True)
    np.testing.assert_allclose(outputs, inputs / np.sqrt(1 + 1e-5), rtol=1e-6)
    np.testing.assert_array_equal(layer.moving_mean, np.zeros(3))


def test_it_compiles_to_the_same(tf):
    inputs = random_inputs((4, 3, 2, 5))
    eager, compiled = BatchNormalization(), BatchNormalization()
    compiled.build(inputs.shape)
    step = tf.function(
        lambda inputs: compiled(inputs, training=True), jit_compile=True
    )
    np.testing.assert_allclose(
        step(inputs), eager(inputs, training=True), rtol=1e-4, atol=1e-5
    )
    for one, other in zip(compiled.weights, eager.weights):
        np.testing.assert_allclose(one, other, rtol=1e-5)


@pytest.mark.parametrize("synchronized", [True, False])
def test_files_are_the_same_synchronized_or_not(tmp_path, synchronized):
    one, other = (
        keras.Sequential(
            [keras.Input((3,)), BatchNormalization(synchronized=each)]
        )
        for each in (synchronized, not synchronized)
    )
    one(random_inputs((6, 3)), training=True)
    one.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    for wanted, found in zip(one.weights, other.weights, strict=True):
        np.testing.assert_array_equal(found, wanted)
    again = keras.Sequential.from_config(one.get_config())
    assert again.layers[-1].synchronized == synchronized


def test_it_is_saved_and_loaded(tmp_path):
    model = keras.Sequential(
        [keras.Input((3,)), BatchNormalization(scale=False)]
    )
    model(random_inputs((6, 3)), training=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(loaded.layers[-1], BatchNormalization)
    inputs = random_inputs((2, 3), seed=1)
    np.testing.assert_array_equal(loaded(inputs), model(inputs))
