import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive.views import inputs


def test_integers_and_floats_make_the_same_images():
    images = np.arange(256, dtype="uint8").reshape(1, 16, 16, 1)
    from_integers = ops.convert_to_numpy(inputs.to_unit_floats(images))
    # XLA divides by multiplying with the inverse.
    last_bit = 1.2e-7 if keras.backend.backend() == "jax" else 0.0
    assert from_integers.dtype == "float32"
    np.testing.assert_allclose(
        from_integers.ravel(), np.arange(256) / 255, rtol=1e-7 + last_bit
    )
    for dtype in ("float64", "float32"):
        floats = (images / 255).astype(dtype)
        converted = inputs.to_unit_floats(floats)
        np.testing.assert_allclose(converted, from_integers, rtol=last_bit)
    half = inputs.to_unit_floats(ops.cast(images / 255, "bfloat16"))
    np.testing.assert_allclose(half, from_integers, atol=2e-3)


@pytest.mark.parametrize(
    ("images", "received"),
    [
        ([[[[0.5]]]], "list"),
        (np.zeros((1, 2, 2, 3), "int64"), "int64"),
        (np.zeros((1, 2, 2, 3), "bool"), "bool"),
        (np.zeros((2, 2, 3), "uint8"), r"\(2, 2, 3\)"),
        (np.full((1, 2, 2, 3), 255.0), "255"),
        (np.full((1, 2, 2, 3), -0.5), "-0.5"),
        (np.full((1, 2, 2, 3), np.nan), "nan"),
    ],
)
def test_other_images_are_refused(images, received):
    with pytest.raises(ValueError, match=f"`images` must .*{received}"):
        inputs.to_unit_floats(images)


def test_an_unknown_size_is_refused(tf):
    @tf.function(input_signature=[tf.TensorSpec((None, None, 32, 3), "uint8")])
    def make(images):
        return inputs.to_unit_floats(images)

    with pytest.raises(ValueError, match="None, None, 32, 3"):
        make(np.zeros((2, 32, 32, 3), "uint8"))


def test_an_empty_batch_is_no_error():
    assert inputs.to_unit_floats(np.zeros((0, 2, 2, 3))).shape[0] == 0


def test_ids():
    ids = inputs.to_ids(np.array([0, 9], "int64"), 10)
    assert ops.convert_to_numpy(ids).dtype == "int32"
    with pytest.raises(ValueError, match="which of 10 policies .* None"):
        inputs.to_ids(None, 10)
    with pytest.raises(ValueError, match="from 0 to 10"):
        inputs.to_ids(np.array([0, 10]), 10)
    with pytest.raises(ValueError, match="from -1 to 3"):
        inputs.to_ids(np.array([3, -1]), 10)
