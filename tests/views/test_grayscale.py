import numpy as np
import pytest
from keras import ops
from PIL import Image
from scipy import stats
from sklearn.datasets import load_sample_image

from keras_contrastive.views import Grayscale
from keras_contrastive.views.draws import Draws

PHOTOGRAPHS = np.stack(
    [load_sample_image(name) for name in ("china.jpg", "flower.jpg")]
)


def apply(images, grey):
    images = ops.convert_to_tensor(images.astype("float32") / 255)
    return ops.convert_to_numpy(
        Grayscale.apply(images, grey=ops.convert_to_tensor(grey))
    )


def test_grey_is_pillows():
    turned = apply(PHOTOGRAPHS, [True, True])
    for view, photograph in zip(turned, PHOTOGRAPHS):
        expected = np.array(Image.fromarray(photograph).convert("L"))
        # Pillow rounds to whole levels.
        assert abs(view * 255 - expected[..., None]).max() < 0.51


def test_the_others_are_unchanged():
    turned = apply(PHOTOGRAPHS, [False, True])
    np.testing.assert_array_equal(
        turned[0], PHOTOGRAPHS[0].astype("float32") / np.float32(255)
    )
    np.testing.assert_array_equal(turned[1, ..., 0], turned[1, ..., 2])


def test_one_channel_is_grey_already():
    images = PHOTOGRAPHS[..., 1:2]
    np.testing.assert_array_equal(
        apply(images, [True, True]), apply(images, [False, False])
    )


@pytest.mark.parametrize("probability", [0.0, 0.2, 1.0])
def test_images_turn_grey_with_the_probability(probability):
    positions = np.arange(20_000, dtype="int32")
    place = {"seed": 0, "step": 0, "view": 0, "stream": Grayscale.stream}
    draws = Draws(positions=positions, **place)
    parameters = {"probability": ops.convert_to_tensor([probability])}
    grey = Grayscale.sample(draws, parameters, (32, 32, 3))["grey"]
    grey = int(ops.convert_to_numpy(grey).sum())
    assert stats.binomtest(grey, 20_000, probability).pvalue > 1e-3
