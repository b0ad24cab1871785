"""Seeded orders: fixed for ever, independent of each other, uniform."""

import numpy as np
import pytest

from keras_contrastive.data.permutation import permutation
from keras_contrastive.data.permutation import permutation_by_class
from keras_contrastive.data.permutation import random_words


def test_an_order_never_changes():
    # Written down once: runs record the hash of what is drawn from here.
    expected = [3, 7, 6, 2, 0, 4, 1, 5]
    assert permutation(8, "split", 0).tolist() == expected
    assert permutation(8, "split", np.int64(0)).tolist() == expected


@pytest.mark.parametrize("count", [0, 1, 2, 1000])
def test_every_number_once(count):
    order = permutation(count, "any", 3)
    assert sorted(order.tolist()) == list(range(count))


@pytest.mark.parametrize(
    "other",
    [
        ("split", 1),
        ("split", 0, 0),
        ("split", 0, 1),
        ("split", 2**32),
        ("partition", 0),
    ],
)
def test_purpose_and_seeds_tell_orders_apart(other):
    order = permutation(1000, "split", 0)
    different = permutation(1000, *other)
    assert np.mean(order == different) < 0.02
    # Nor is one the other with a delay, as for a shorter list.
    assert abs(np.corrcoef(order, different)[0, 1]) < 0.15


def test_every_place_is_equally_likely():
    orders = np.array([permutation(6, "uniform", s) for s in range(6000)])
    counts = np.array([np.bincount(column) for column in orders.T])
    expected = 1000
    chi_square = ((counts - expected) ** 2 / expected).sum()
    # 25 degrees of freedom: 60 is the 0.9999 quantile.
    assert chi_square < 60


def test_words_fill_their_range():
    words = random_words(10_000, "words", 5)
    assert words.dtype == np.uint64
    ones = np.unpackbits(words.view(np.uint8)).mean()
    assert abs(ones - 0.5) < 0.005


def test_classes_stay_together_and_are_shuffled_within():
    labels = np.tile([2, 0, 5], 200)
    order = permutation_by_class(labels, "any", 1)
    assert sorted(order.tolist()) == list(range(600))
    assert labels[order].tolist() == [0] * 200 + [2] * 200 + [5] * 200
    within = order[:200]
    assert abs(np.corrcoef(within, np.arange(200))[0, 1]) < 0.25
