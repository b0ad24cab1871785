"""Splits are disjoint, stratified, of exact sizes, and the same again."""

import hashlib

import numpy as np
import pytest

from keras_contrastive.data import index_hash
from keras_contrastive.data import split
from keras_contrastive.data.splits import hold_out_tenth

CIFAR = np.random.default_rng(0).permutation(np.repeat(np.arange(10), 5000))


def test_cifar10_splits_into_4500_and_500_a_class():
    train, validation = split(CIFAR, (0.9, 0.1), seed=0)
    assert np.bincount(CIFAR[train]).tolist() == [4500] * 10
    assert np.bincount(CIFAR[validation]).tolist() == [500] * 10
    both = np.concatenate([train, validation])
    assert np.array_equal(np.sort(both), np.arange(50_000))


def test_three_parts_of_the_source():
    parts = split(CIFAR, (0.8, 0.1, 0.1), seed=4)
    counts = [np.bincount(CIFAR[part]).tolist() for part in parts]
    assert counts == [[4000] * 10, [500] * 10, [500] * 10]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("fractions", "sizes"),
    [
        ((0.9, 0.1), [251, 28]),
        ((0.5, 0.5), [140, 139]),
        ((0.7, 0.2, 0.1), [195, 56, 28]),
        ((0.3,), [84]),
        ((0.25, 0.25), [70, 70]),
        ((1 / 3, 1 / 3, 1 / 3), [93, 93, 93]),
    ],
)
def test_uneven_classes_are_off_by_less_than_two(fractions, sizes, seed):
    # 279 images: 1, 4, 9, ..., 100 of a class and a few more.
    per_class = np.array([1, 4, 9, 16, 25, 36, 49, 64, 75])
    labels = np.repeat(np.arange(9), per_class)
    labels = np.random.default_rng(seed).permutation(labels)
    parts = split(labels, fractions, seed)
    assert [len(part) for part in parts] == sizes
    joined = np.concatenate(parts)
    assert len(np.unique(joined)) == len(joined)
    for place, (part, fraction) in enumerate(zip(parts, fractions)):
        assert np.all(np.diff(part) > 0) and part.dtype == np.int64
        counts = np.bincount(labels[part], minlength=9)
        error = np.abs(counts - fraction * per_class)
        # The size rounds the fraction, by at most 1 / 279 of a class.
        assert error.max() < (1 if place == 0 else 2) + 0.3


def test_a_single_image_of_a_class_is_as_likely_to_be_held_out_as_others():
    labels = np.arange(20)
    held_out = np.zeros(20)
    for seed in range(2000):
        held_out[split(labels, (0.9, 0.1), seed)[1]] += 1
    # Binomial with mean 200 and deviation 13.4.
    assert np.abs(held_out - 200).max() < 60


def test_the_seed_is_the_split():
    first, again, other = (split(CIFAR, (0.9, 0.1), s)[1] for s in (7, 7, 8))
    assert np.array_equal(first, again)
    # Two random tenths share a tenth.
    assert 0.05 < np.isin(other, first).mean() < 0.15


def test_a_split_of_a_seed_never_changes():
    # Written down once: it stands in the records of runs.
    labels = np.repeat(np.arange(10), 5000)
    assert index_hash(*split(labels, (0.9, 0.1), 0)) == "3747fb62685c8d87"


def test_unlabelled_images_split_by_their_number():
    parts = split(103, (0.8, 0.2), seed=1)
    assert [len(part) for part in parts] == [82, 21]
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(103))
    # At random, not by position.
    assert parts[1].min() < 30 and parts[1].max() > 73


@pytest.mark.parametrize("fractions", [(0.29, 0.71), (0.57, 0.43)])
def test_fractions_that_are_not_quite_floats(fractions):
    # 0.29 * 100 is 28.999999999999996, 0.57 * 100 is 56.99999999999999.
    sizes = [len(part) for part in split(100, fractions, 0)]
    assert sizes == [round(100 * fraction) for fraction in fractions]


@pytest.mark.parametrize(
    ("labels", "fractions", "seed", "message"),
    [
        (10, (0.9, 0.2), 0, "`fractions` .*1.1"),
        (10, (0.9, 0.0), 0, "`fractions` .*0.0"),
        (10, (0.9, -0.1), 0, "`fractions` .*-0.1"),
        (10, (), 0, "`fractions` "),
        (10, (float("nan"),), 0, "`fractions` .*nan"),
        (10, [[0.5], [0.5]], 0, "`fractions` "),
        (3, (0.9, 0.1), 0, r"`fractions` .*\[3, 0\]"),
        (10, (0.5,), -1, "`seed` .*-1"),
        (10, (0.5,), 0.5, "`seed` .*0.5"),
        (None, (0.5,), 0, "`labels` .*None"),
        ([0.5, 0.5], (0.5,), 0, "`labels` .*float64"),
    ],
)
def test_bad_arguments(labels, fractions, seed, message):
    with pytest.raises(ValueError, match=message):
        split(labels, fractions, seed)


@pytest.mark.parametrize(("count", "held_out"), [(2, 1), (5, 1), (100, 10)])
def test_a_tenth_is_at_least_one_image(count, held_out):
    train, test = hold_out_tenth(count)
    assert len(test) == held_out
    assert sorted([*train, *test]) == list(range(count))


def test_the_hash_is_of_lengths_and_numbers():
    digest = hashlib.sha256()
    for numbers in ([3, 1], [2]):
        digest.update(np.array([len(numbers), *numbers], "<i8").tobytes())
    assert index_hash([3, 1], np.int32([2])) == digest.hexdigest()[:16]
    hashes = {
        index_hash([3, 1], [2]),
        index_hash([3], [1, 2]),
        index_hash([1, 3], [2]),
        index_hash([3, 1, 2]),
        index_hash([2], [3, 1]),
    }
    assert len(hashes) == 5


@pytest.mark.parametrize("indices", [[0.5], [[1]], [True]])
def test_the_hash_is_of_row_numbers_only(indices):
    with pytest.raises(ValueError, match="`index_arrays` .*number 1"):
        index_hash([0], indices)
