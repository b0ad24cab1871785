import numpy as np
import pytest
from keras import ops

from keras_contrastive.views import channels


@pytest.mark.parametrize("count", [1, 3])
def test_stack_undoes_split(count):
    images = np.random.default_rng(0).random((2, 3, 4, count), "float32")
    planes = channels.split(ops.convert_to_tensor(images))
    assert len(planes) == count
    for k, plane in enumerate(planes):
        np.testing.assert_array_equal(plane, images[..., k])
    np.testing.assert_array_equal(channels.stack(planes), images)


def test_grey():
    red, green, blue = np.random.default_rng(0).random((3, 1, 2, 2), "float32")
    np.testing.assert_allclose(
        channels.grey([red, green, blue]),
        0.299 * red + 0.587 * green + 0.114 * blue,
        rtol=1e-6,
    )
    np.testing.assert_array_equal(channels.grey([green]), green)


def test_per_image_varies_with_the_image():
    assert channels.per_image(np.arange(4)).shape == (4, 1, 1)


def test_two_channels_are_refused():
    with pytest.raises(ValueError, match="1 or 3 channels, received 2"):
        channels.split(ops.zeros((1, 2, 2, 2)))
