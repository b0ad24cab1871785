import numpy as np
import pytest
from keras import ops
from scipy import ndimage
from scipy import stats
from sklearn.datasets import load_sample_image

from keras_contrastive.views import GaussianBlur
from keras_contrastive.views.draws import Draws

CHINA = load_sample_image("china.jpg").astype("float32") / 255
FLOWER = load_sample_image("flower.jpg").astype("float32") / 255


def apply(images, sigma, radius):
    sigma, radius = np.array(sigma, "float32"), np.array(radius, "float32")
    return ops.convert_to_numpy(
        GaussianBlur.apply(
            ops.convert_to_tensor(images),
            sigma=ops.convert_to_tensor(sigma),
            radius=ops.convert_to_tensor(radius),
        )
    )


def test_apply_is_scipys_filter():
    sigma = [0.1, 0.5, 2.0, 1.3, 5.0, 2.0]
    radius = [1, 3, 11, 4, 20, 1]
    images = np.stack([CHINA[:70, :90], FLOWER[-70:, -90:]] * 3)
    expected = [
        ndimage.gaussian_filter(
            image.astype("float64"), s, mode="mirror", radius=r, axes=(0, 1)
        )
        for image, s, r in zip(images, sigma, radius)
    ]
    np.testing.assert_allclose(
        apply(images, sigma, radius), expected, atol=2e-6
    )


def test_taps_beyond_a_small_image_are_left_out():
    images = CHINA[None, :6, :9]
    np.testing.assert_array_equal(
        apply(images, [3.0], [40.0]), apply(images, [3.0], [8.0])
    )


def test_width_zero_changes_no_bit():
    images = np.stack([CHINA[:40, :30], FLOWER[:40, :30]])
    blurred = apply(images, [0.0, 1.0], [5.0])
    np.testing.assert_array_equal(blurred[0], images[0])
    assert abs(blurred[1] - images[1]).max() > 0.01


def sample(shape=(32, 32, 3), **arguments):
    blur = GaussianBlur(**arguments)
    parameters = {
        name: ops.convert_to_tensor(np.array([value], "float32"))
        for name, value in blur.parameters().items()
    }
    positions = np.arange(20_000, dtype="int32")
    place = {"seed": 0, "step": 0, "view": 0, "stream": GaussianBlur.stream}
    choices = blur.sample(
        Draws(positions=positions, **place), parameters, shape
    )
    return {k: ops.convert_to_numpy(v) for k, v in choices.items()}


@pytest.mark.parametrize("probability", [0.0, 0.5, 1.0])
def test_widths_are_uniform_with_the_probability(probability):
    sigma = sample(sigma=(0.1, 2.0), probability=probability)["sigma"]
    blurred = sigma[sigma > 0.0]
    test = stats.binomtest(len(blurred), len(sigma), probability)
    assert test.pvalue > 1e-3
    if len(blurred):
        uniform = (blurred - 0.1) / 1.9
        assert stats.kstest(uniform, "uniform").pvalue > 1e-3


@pytest.mark.parametrize(
    ("shape", "kernel_size", "radius"),
    [
        # SimCLR: size // 10, halved and rounded down on each side.
        ((224, 224, 3), None, 11),
        ((96, 200, 3), None, 4),
        ((32, 32, 3), None, 1),
        ((8, 8, 3), None, 1),
        ((32, 32, 3), 9, 4),
    ],
)
def test_radius(shape, kernel_size, radius):
    assert sample(shape, kernel_size=kernel_size)["radius"] == radius


@pytest.mark.parametrize(
    ("arguments", "received"),
    [
        ({"sigma": (0.0, 2.0)}, "0.0"),
        ({"sigma": (2.0, 1.0)}, "2.0"),
        ({"kernel_size": 4}, "4"),
        ({"kernel_size": 1}, "1"),
    ],
)
def test_bad_arguments_are_refused(arguments, received):
    with pytest.raises(ValueError, match=received):
        GaussianBlur(**arguments)
