"""Labels are whole numbers, one an image."""

import numpy as np
import pytest

from keras_contrastive.data.labels import as_labels
from keras_contrastive.data.labels import as_whole_number
from keras_contrastive.data.labels import labels_or_count


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64", "uint64"])
def test_labels_become_int32(dtype):
    labels = as_labels(np.array([3, 0, 7], dtype))
    assert labels.dtype == np.int32
    assert labels.tolist() == [3, 0, 7]


@pytest.mark.parametrize(
    ("labels", "count", "received"),
    [
        ([0.0, 1.0], None, "float64"),
        ([[0], [1]], None, r"\(2, 1\)"),
        ([True, False], None, "bool"),
        ([0, 1, 2], 4, "3 for 4 images"),
        ([0, -1], None, "-1 to 0"),
        ([0, 2**31], None, "2147483648"),
    ],
)
def test_what_labels_are_not(labels, count, received):
    with pytest.raises(ValueError, match=f"`these` .*{received}"):
        as_labels(labels, "these", count)


def test_a_count_stands_for_unlabelled_images():
    assert labels_or_count(3).tolist() == [0, 0, 0]
    assert labels_or_count(np.int64(2)).tolist() == [0, 0]
    assert labels_or_count([2, 5]).tolist() == [2, 5]


@pytest.mark.parametrize("labels", [None, 0, -3, 2.5, True, [], "ten"])
def test_neither_labels_nor_count(labels):
    with pytest.raises(ValueError, match="`labels` must"):
        labels_or_count(labels)


@pytest.mark.parametrize("value", [0, -1, 1.0, True, None, "1"])
def test_whole_numbers_below_the_minimum_are_refused(value):
    with pytest.raises(ValueError, match=f"`size` .*received {value!r}"):
        as_whole_number(value, "size", minimum=1)


def test_whole_numbers_of_numpy_are_whole_numbers():
    number = as_whole_number(np.uint8(4), "size", minimum=1)
    assert number == 4 and type(number) is int
