"""The embedded digits."""

import numpy as np
import pytest
from sklearn import datasets

from keras_contrastive import data


@pytest.fixture(scope="module")
def digits():
    return data.load("digits")


def test_shapes_and_types(digits):
    assert digits.name == "digits"
    assert digits.class_names == tuple("0123456789")
    assert digits.num_classes == 10
    for part, count in ((digits.train, 1438), (digits.test, 359)):
        assert part.images.shape == (count, 32, 32, 3)
        assert part.images.dtype == np.uint8
        assert part.labels.shape == (count,)
        assert part.labels.dtype == np.int32


def test_parts_are_stratified_and_disjoint(digits):
    shares = np.bincount(digits.test.labels) / np.bincount(
        datasets.load_digits().target
    )
    assert np.abs(shares - 0.2).max() < 0.01
    both = np.concatenate([digits.train.images, digits.test.images])
    original = datasets.load_digits().images
    assert len(np.unique(both, axis=0)) == len(np.unique(original, axis=0))


def test_images_are_the_digits_in_grey_and_their_labels_match(digits):
    images = digits.test.images
    assert np.array_equal(images[..., 0], images[..., 1])
    assert np.array_equal(images[..., 0], images[..., 2])
    # The mean of each 4x4 block is close to the pixel that it came from.
    blocks = images[..., 0].reshape(-1, 8, 4, 8, 4).mean((2, 4)) * (16 / 255)
    source = datasets.load_digits()
    distances = np.abs(blocks[:, None] - source.images[None, :, :, :]).mean(
        (2, 3)
    )
    nearest = distances.argmin(1)
    assert np.array_equal(source.target[nearest], digits.test.labels)
    assert distances.min(1).max() < 1.5


def test_the_whole_range_is_used(digits):
    assert digits.train.images.min() == 0
    assert digits.train.images.max() == 255


def test_the_same_parts_again(digits):
    again = data.load("digits", image_size=8)
    assert again.train.images.shape == (1438, 8, 8, 3)
    assert np.array_equal(again.train.labels, digits.train.labels)
    # At its own size a digit is its 17 levels.
    levels = np.unique(again.train.images)
    assert np.array_equal(levels, np.round(np.arange(17) * 255 / 16))
