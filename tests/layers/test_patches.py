"""Patches are slices of the image, where they should be."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive.layers import Patches


def pixels(height, width):
    generator = np.random.default_rng(0)
    return generator.uniform(size=(3, height, width, 2)).astype("float32")


@pytest.mark.parametrize(
    ("height", "width", "size", "stride", "grid_shape"),
    [
        (32, 32, 16, 8, (3, 3)),
        (32, 32, 8, 4, (7, 7)),
        (11, 8, 4, 3, (3, 2)),  # Pixels are left over, on both sides.
        (9, 12, 3, 3, (3, 4)),
        (10, 13, 2, 5, (2, 3)),  # Gaps between the patches.
        (5, 7, 5, 1, (1, 3)),
    ],
)
def test_equals_slices(height, width, size, stride, grid_shape):
    images, layer = pixels(height, width), Patches(size, stride)
    patches = ops.convert_to_numpy(layer(images))
    assert layer.grid_shape(height, width) == grid_shape
    assert patches.shape == (3, *grid_shape, size, size, 2)
    assert layer.compute_output_shape(images.shape) == patches.shape
    for row, column in np.ndindex(grid_shape):
        top, left = row * stride, column * stride
        expected = images[:, top : top + size, left : left + size]
        np.testing.assert_array_equal(patches[:, row, column], expected)


@pytest.mark.parametrize(("size", "stride"), [(16, 8), (7, 4), (1, 1)])
def test_the_stride_is_half_the_size(size, stride):
    assert Patches(size).stride == stride


def test_in_a_model_of_any_batch(tmp_path):
    images = keras.Input((8, 6, 2))
    model = keras.Model(images, Patches(4, 2)(images))
    assert model.output_shape == (None, 3, 2, 4, 4, 2)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert (loaded.layers[-1].size, loaded.layers[-1].stride) == (4, 2)
    np.testing.assert_array_equal(loaded(pixels(8, 6)), model(pixels(8, 6)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0,), "`size`.*0"),
        ((4, 0), "`stride`.*0"),
        ((4, -1), "`stride`.*-1"),
    ],
)
def test_bad_numbers_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Patches(*arguments)


@pytest.mark.parametrize("shape", [(8, 16), (16, 8)])
def test_patches_larger_than_the_image_are_refused(shape):
    message = f"`size`.*9 pixels.*{shape[0]} x {shape[1]}"
    with pytest.raises(ValueError, match=message):
        Patches(9)(pixels(*shape))
