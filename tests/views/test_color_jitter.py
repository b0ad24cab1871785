import colorsys
import itertools

import numpy as np
import pytest
from keras import ops
from PIL import Image
from PIL import ImageEnhance
from scipy import stats
from sklearn.datasets import load_sample_image

from keras_contrastive.views import ColorJitter
from keras_contrastive.views.color_jitter import ORDERS
from keras_contrastive.views.draws import Draws

CHINA = load_sample_image("china.jpg")[100:260, 200:400]
FLOWER = load_sample_image("flower.jpg")[100:260, 200:400]
PHOTOGRAPHS = np.stack([CHINA, FLOWER])


def apply(images, order=0, **amounts):
    """Jitters uint8 images, one amount for all or one for each of them."""
    count = len(images)
    neutral = {"brightness": 1, "contrast": 1, "saturation": 1, "hue": 0}
    amounts = {
        name: ops.convert_to_tensor(np.broadcast_to(amount, count).astype("f"))
        for name, amount in {**neutral, **amounts}.items()
    }
    order = np.broadcast_to(order, count).astype("int32")
    images = ops.convert_to_tensor(images.astype("float32") / 255)
    return ops.convert_to_numpy(
        ColorJitter.apply(images, order=ops.convert_to_tensor(order), **amounts)
    )


@pytest.mark.parametrize(
    ("name", "enhancement"),
    [
        ("brightness", ImageEnhance.Brightness),
        ("contrast", ImageEnhance.Contrast),
        ("saturation", ImageEnhance.Color),
    ],
)
def test_factors_are_pillows(name, enhancement):
    # Pillow rounds the grey, its mean and the result to whole levels.
    factors = np.array([0.0, 0.3, 1.0, 1.7])
    for photograph in PHOTOGRAPHS:
        images = np.stack([photograph] * len(factors))
        expected = [
            enhancement(Image.fromarray(photograph)).enhance(factor)
            for factor in factors
        ]
        levels = apply(images, **{name: factors}) * 255
        difference = levels - np.stack(expected).astype("float32")
        assert abs(difference).max() < 1.8
        assert abs(difference.mean()) < 0.75


def grey(image):
    return image @ np.array([0.299, 0.587, 0.114])


def change(image, name, amount):
    """One change of one image in float64, the hue by the standard library."""
    if name == "brightness":
        image = image * amount
    elif name == "contrast":
        image = image * amount + (1 - amount) * grey(image).mean()
    elif name == "saturation":
        image = image * amount + (1 - amount) * grey(image)[..., None]
    else:
        pixels = image.reshape(-1, 3).copy()
        for pixel in pixels:
            hue, saturation, value = colorsys.rgb_to_hsv(*pixel)
            turned = (hue + amount) % 1
            pixel[:] = colorsys.hsv_to_rgb(turned, saturation, value)
        image = pixels.reshape(image.shape)
    return np.clip(image, 0, 1)


def test_every_order_is_that_of_a_loop():
    # 24 orders, each on both photographs, in one batch of different amounts.
    generator = np.random.default_rng(0)
    images = np.concatenate([PHOTOGRAPHS[:, ::17, ::19]] * 24)
    orders = np.arange(24).repeat(2)
    amounts = {
        "brightness": generator.uniform(0.3, 1.9, 48),
        "contrast": generator.uniform(0.3, 1.9, 48),
        "saturation": generator.uniform(0.0, 1.9, 48),
        "hue": generator.uniform(-0.5, 0.5, 48),
    }
    jittered = apply(images, orders, **amounts)
    for row, order in enumerate(orders):
        expected = images[row] / 255
        for name in ORDERS[order]:
            expected = change(expected, name, amounts[name][row])
        np.testing.assert_allclose(jittered[row], expected, atol=2e-5)


def test_orders_are_all_there_are_and_begin_with_the_arguments():
    names = ("brightness", "contrast", "saturation", "hue")
    assert ORDERS[0] == names
    assert len(set(ORDERS)) == 24
    assert set(ORDERS) == set(itertools.permutations(names))


def test_hue_turns_primary_colors():
    red, yellow, grey_pixel = (255, 0, 0), (255, 255, 0), (90, 90, 90)
    image = np.array([[red, yellow, grey_pixel]], "uint8")
    third = apply(image[None], hue=1 / 3)[0, 0]
    np.testing.assert_allclose(third[0], (0, 1, 0), atol=1e-6)
    np.testing.assert_allclose(third[1], (0, 1, 1), atol=1e-6)
    np.testing.assert_allclose(third[2], np.full(3, 90 / 255), atol=1e-6)
    # Half a turn is half a turn, in either direction.
    np.testing.assert_allclose(
        apply(image[None], hue=0.5), apply(image[None], hue=-0.5), atol=1e-6
    )


def test_neutral_amounts_change_no_bit():
    images = PHOTOGRAPHS
    jittered = apply(np.concatenate([images, images]), 5, hue=[0, 0, 0.1, 0.1])
    np.testing.assert_array_equal(
        jittered[:2], images.astype("float32") / np.float32(255)
    )


def test_one_channel_has_brightness_and_contrast_only():
    images = PHOTOGRAPHS[..., :1]
    np.testing.assert_array_equal(
        apply(images, saturation=0.2, hue=0.3), apply(images)
    )
    np.testing.assert_allclose(
        apply(images, brightness=0.5), images / 255 * 0.5, atol=1e-6
    )
    mean = images.mean(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(
        apply(images, contrast=0.5), (images + mean) / 510, atol=1e-5
    )


def test_other_numbers_of_channels_are_refused():
    with pytest.raises(ValueError, match="1 or 3 channels, received 4"):
        apply(np.zeros((1, 2, 2, 4), "uint8"))


def sample(count=20_000, **arguments):
    jitter = ColorJitter(**arguments)
    parameters = {
        name: ops.convert_to_tensor(np.array([value], "float32"))
        for name, value in jitter.parameters().items()
    }
    positions = np.arange(count, dtype="int32")
    place = {"seed": 0, "step": 0, "view": 0, "stream": ColorJitter.stream}
    draws = Draws(positions=positions, **place)
    choices = jitter.sample(draws, parameters, (32, 32, 3))
    return {k: ops.convert_to_numpy(v) for k, v in choices.items()}


def test_amounts_are_uniform_over_their_ranges():
    choices = sample(
        brightness=0.4, contrast=0.8, saturation=1.5, hue=0.2, probability=1.0
    )
    # A strength beyond 1 does not make negative factors.
    ranges = {
        "brightness": (0.6, 1.4),
        "contrast": (0.2, 1.8),
        "saturation": (0.0, 2.5),
        "hue": (-0.2, 0.2),
    }
    numbers = []
    for name, (low, high) in ranges.items():
        numbers.append((choices[name] - low) / (high - low))
        assert stats.kstest(numbers[-1], "uniform").pvalue > 1e-3, name
    numbers.append(choices["order"])
    correlation = np.corrcoef(numbers) - np.eye(5)
    assert abs(correlation).max() < 4.5 / np.sqrt(len(numbers[0]))


def test_orders_are_equally_likely_or_fixed():
    counts = np.bincount(sample()["order"], minlength=24)
    assert len(counts) == 24
    assert stats.chisquare(counts).pvalue > 1e-3
    assert set(sample(random_order=False)["order"]) == {0}


@pytest.mark.parametrize("probability", [0.0, 0.8, 1.0])
def test_images_change_with_the_probability(probability):
    choices = sample(probability=probability)
    changed = choices["hue"] != 0.0
    test = stats.binomtest(int(changed.sum()), len(changed), probability)
    assert test.pvalue > 1e-3
    for name in ("brightness", "contrast", "saturation"):
        np.testing.assert_array_equal(choices[name] != 1.0, changed)


@pytest.mark.parametrize(
    ("arguments", "received"),
    [
        ({"brightness": -0.1}, "-0.1"),
        ({"hue": 0.6}, "0.6"),
        ({"probability": 1.1}, "1.1"),
    ],
)
def test_bad_arguments_are_refused(arguments, received):
    with pytest.raises(ValueError, match=received):
        ColorJitter(**arguments)
