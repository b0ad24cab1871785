"""Pixels as features: of large images a chunk at a time, and reduced."""

import numpy as np
import pytest
from PIL import Image

from experiments import controls
from experiments.study_data import Part


def part_of(images, count):
    rows = np.random.default_rng(1).permutation(len(images))[:count]
    return Part(images, None, rows)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_small_images_are_their_pixels(dtype):
    images = np.random.default_rng(0).random((520, 4, 3, 3))
    images = (images * (255 if dtype == "uint8" else 1)).astype(dtype)
    part = part_of(images, 510)
    features = controls.pixel_features(part)
    expected = part.load().reshape(510, 36) / (255 if dtype == "uint8" else 1)
    assert features.dtype == "float32"
    np.testing.assert_allclose(features, expected, rtol=1e-6)


def test_large_images_are_reduced_as_pillow_does():
    shape = (3, 48, 96, 3)
    images = np.random.default_rng(0).integers(0, 256, shape, dtype="uint8")
    part = part_of(images, 2)
    features = controls.pixel_features(part).reshape(2, 16, 32, 3)
    for image, reduced in zip(part.load(), features):
        expected = Image.fromarray(image).resize(
            (32, 16), Image.Resampling.BILINEAR
        )
        # Pillow rounds to whole numbers, after either axis.
        np.testing.assert_allclose(
            reduced, np.asarray(expected) / 255, atol=1.5 / 255
        )
