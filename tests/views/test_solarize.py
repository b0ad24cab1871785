import numpy as np
import pytest
from keras import ops
from PIL import Image
from PIL import ImageOps
from scipy import stats
from sklearn.datasets import load_sample_image

from keras_contrastive.views import Solarize
from keras_contrastive.views.draws import Draws

PHOTOGRAPHS = np.stack(
    [load_sample_image(name) for name in ("china.jpg", "flower.jpg")] * 2
)


def test_apply_is_pillows():
    # Pillow's thresholds are levels; the third image has none to reach.
    levels = np.array([128, 40, 256, 0])
    images = ops.convert_to_tensor(PHOTOGRAPHS.astype("float32") / 255)
    threshold = ops.convert_to_tensor((levels - 0.5).astype("float32") / 255)
    solarized = ops.convert_to_numpy(Solarize.apply(images, threshold))
    expected = [
        np.array(ImageOps.solarize(Image.fromarray(photograph), int(level)))
        for photograph, level in zip(PHOTOGRAPHS, levels)
    ]
    np.testing.assert_allclose(
        solarized * 255, np.stack(expected).astype("float32"), atol=1e-4
    )


def test_the_threshold_itself_is_inverted():
    images = ops.convert_to_tensor(np.full((2, 1, 1, 3), 0.75, "float32"))
    threshold = ops.convert_to_tensor(np.array([0.75, 0.76], "float32"))
    solarized = ops.convert_to_numpy(Solarize.apply(images, threshold))
    assert solarized[:, 0, 0, 0].tolist() == [0.25, 0.75]


@pytest.mark.parametrize("probability", [0.0, 0.2, 1.0])
def test_images_change_with_the_probability(probability):
    positions = np.arange(20_000, dtype="int32")
    place = {"seed": 0, "step": 0, "view": 0, "stream": Solarize.stream}
    parameters = {
        "threshold": ops.convert_to_tensor([0.25]),
        "probability": ops.convert_to_tensor([probability]),
    }
    draws = Draws(positions=positions, **place)
    threshold = Solarize.sample(draws, parameters, (32, 32, 3))["threshold"]
    threshold = ops.convert_to_numpy(threshold)
    assert set(threshold) <= {0.25, 2.0}
    changed = int((threshold == 0.25).sum())
    assert stats.binomtest(changed, 20_000, probability).pvalue > 1e-3


def test_a_threshold_out_of_range_is_refused():
    with pytest.raises(ValueError, match="128"):
        Solarize(threshold=128)
