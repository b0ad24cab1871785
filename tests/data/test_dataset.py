"""What a source delivers."""

import numpy as np
import pytest

from keras_contrastive.data import Dataset
from keras_contrastive.data import Split

IMAGES = np.zeros((3, 2, 2, 3), np.uint8)


def test_a_split_has_the_length_of_its_images():
    assert len(Split(IMAGES)) == 3
    assert Split(IMAGES).labels is None


@pytest.mark.parametrize(
    ("train", "test", "names", "expected"),
    [
        ([0, 4, 4], [1, 4, 0], None, 3),
        ([5, 5, 5], None, None, 1),
        (None, None, None, None),
        (None, None, ("a", "b"), 2),
        # A class without an image is a class of the dataset nevertheless.
        ([0, 0, 1], [1, 1, 1], ("a", "b", "c"), 3),
    ],
)
def test_classes_are_counted_over_both_splits(train, test, names, expected):
    splits = [
        Split(IMAGES, None if labels is None else np.array(labels))
        for labels in (train, test)
    ]
    assert Dataset("name", *splits, names).num_classes == expected
