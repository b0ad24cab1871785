"""Subsets are balanced in size and in every class."""

import numpy as np
import pytest

from keras_contrastive.data import partition

UNEVEN = np.repeat(np.arange(6), [1, 3, 10, 17, 40, 32])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("num_subsets", [1, 2, 7, 10, 103])
def test_sizes_and_classes_differ_by_at_most_one(num_subsets, seed):
    labels = np.random.default_rng(seed).permutation(UNEVEN)
    ids = partition(labels, num_subsets, seed)
    assert ids.dtype == np.int32 and ids.shape == labels.shape
    sizes = np.bincount(ids, minlength=num_subsets)
    assert len(sizes) == num_subsets and np.ptp(sizes) <= 1
    for label in range(6):
        counts = np.bincount(ids[labels == label], minlength=num_subsets)
        assert np.ptp(counts) <= 1


def test_unlabelled_images():
    ids = partition(25, 4, seed=0)
    assert sorted(np.bincount(ids).tolist()) == [6, 6, 6, 7]


def test_membership_is_random_and_seeded():
    labels = np.repeat(np.arange(10), 450)
    ids, again, other = (partition(labels, 10, seed) for seed in (0, 0, 1))
    assert np.array_equal(ids, again)
    assert abs(np.mean(ids == other) - 0.1) < 0.03
    neighbours = np.mean(ids[1:] == ids[:-1])
    assert abs(neighbours - 0.1) < 0.03


def test_no_subset_is_always_the_largest():
    largest = [
        np.bincount(partition(5, 4, seed)).argmax() for seed in range(200)
    ]
    # Binomial with mean 50 and deviation 6.1.
    assert np.bincount(largest, minlength=4).min() > 25


@pytest.mark.parametrize(
    ("labels", "num_subsets", "seed", "message"),
    [
        (5, 0, 0, "`num_subsets` .*0"),
        (5, 2.0, 0, "`num_subsets` .*2.0"),
        (5, 6, 0, "`num_subsets` .*6 for 5"),
        (5, 2, -1, "`seed` .*-1"),
        (None, 2, 0, "`labels` .*None"),
    ],
)
def test_bad_arguments(labels, num_subsets, seed, message):
    with pytest.raises(ValueError, match=message):
        partition(labels, num_subsets, seed)
