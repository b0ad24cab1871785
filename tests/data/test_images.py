"""Images are uint8, or float in [0, 1]."""

import numpy as np
import pytest

from keras_contrastive.data.images import check_images


class Lazy:
    """A length and integer-array indexing, and nothing else."""

    def __init__(self, array):
        self.array = array

    def __len__(self):
        return len(self.array)

    def __getitem__(self, rows):
        assert isinstance(rows, np.ndarray)
        return self.array[rows]


@pytest.mark.parametrize("wrap", [np.asarray, Lazy])
@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32", "float64"])
def test_what_images_are(wrap, dtype):
    images = np.ones((3, 4, 5, 1), dtype)
    check_images(wrap(images))


@pytest.mark.parametrize("wrap", [np.asarray, Lazy])
@pytest.mark.parametrize(
    ("images", "received"),
    [
        (np.zeros((3, 4, 5), "uint8"), r"\(4, 5\) for each of 3"),
        (np.zeros((0, 4, 5, 3), "uint8"), "of 0"),
        (np.zeros((3, 4, 5, 3), "int64"), "int64"),
        (np.zeros((3, 4, 5, 3), "bool"), "bool"),
        (np.full((3, 4, 5, 3), 255.0), "255"),
        (np.full((3, 4, 5, 3), -0.5), "-0.5"),
        (np.full((3, 4, 5, 3), np.nan), "nan"),
    ],
)
def test_what_images_are_not(images, received, wrap):
    with pytest.raises(ValueError, match=f"`images` .*{received}"):
        check_images(wrap(images))


@pytest.mark.parametrize("images", [None, 5, [[1, 2]], {"a": 1}])
def test_what_cannot_be_indexed(images):
    with pytest.raises(ValueError, match=type(images).__name__):
        check_images(images)


def test_the_last_image_in_memory_is_looked_at(tmp_path):
    images = np.zeros((500, 2, 2, 3), "float32")
    images[-1] = 2
    with pytest.raises(ValueError, match="0 to 2"):
        check_images(images)
