"""Long tails have the published counts."""

import numpy as np
import pytest

from keras_contrastive.data import long_tail

CIFAR = np.random.default_rng(0).permutation(np.repeat(np.arange(10), 5000))


@pytest.mark.parametrize(
    ("imbalance_factor", "kind", "expected"),
    [
        (
            100,
            "exponential",
            [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50],
        ),
        (
            10,
            "exponential",
            [5000, 3871, 2997, 2320, 1796, 1391, 1077, 834, 645, 500],
        ),
        (100, "step", [5000] * 5 + [50] * 5),
        (10.0, "step", [5000] * 5 + [500] * 5),
        (1, "exponential", [5000] * 10),
        (1, "step", [5000] * 10),
    ],
)
def test_published_counts(imbalance_factor, kind, expected):
    kept = long_tail(CIFAR, imbalance_factor, 0, kind)
    assert np.bincount(CIFAR[kept]).tolist() == expected
    assert np.all(np.diff(kept) > 0) and kept.dtype == np.int64


@pytest.mark.parametrize("largest", range(2, 60))
def test_the_smallest_class_keeps_its_one_image(largest):
    labels = np.repeat([3, 8], largest)
    kept = long_tail(labels, largest, seed=0)
    assert np.bincount(labels[kept])[[3, 8]].tolist() == [largest, 1]


def test_steps_of_an_odd_number_of_classes():
    labels = np.repeat(np.arange(5), 8)
    kept = long_tail(labels, 4, 0, "step")
    assert np.bincount(labels[kept]).tolist() == [8, 8, 8, 2, 2]


def test_a_small_class_keeps_what_it_has():
    labels = np.repeat([0, 1, 2], [100, 7, 90])
    kept = long_tail(labels, 4, seed=0)
    assert np.bincount(labels[kept]).tolist() == [100, 7, 25]


def test_one_class_stays_whole():
    assert len(long_tail(np.zeros(9, int), 3, 0)) == 9


def test_the_seed_chooses_the_images():
    labels = np.repeat(np.arange(2), 1000)
    first, again, other = (long_tail(labels, 10, s) for s in (0, 0, 1))
    assert np.array_equal(first, again)
    tails = [kept[kept >= 1000] for kept in (first, other)]
    # Two random tenths share a tenth.
    assert 2 <= np.isin(*tails).sum() <= 25
    # Random images of the class, not its first ones.
    assert tails[0].max() > 1900


@pytest.mark.parametrize(
    ("labels", "factor", "kind", "message"),
    [
        ([0, 1], 0.5, "exponential", "`imbalance_factor` .*0.5"),
        ([0, 1], float("inf"), "exponential", "`imbalance_factor` .*inf"),
        ([0, 1], float("nan"), "exponential", "`imbalance_factor` .*nan"),
        ([0, 1], "10", "exponential", "`imbalance_factor` .*'10'"),
        ([0, 1], [2], "exponential", r"`imbalance_factor` .*\[2\]"),
        ([0, 0, 1], 3, "exponential", "`imbalance_factor` .*3 for 2"),
        ([0, 0, 1], 2, "linear", "`kind` .*'linear'"),
        ([0.0, 1.0], 2, "exponential", "`labels` .*float64"),
        (100, 2, "exponential", "`labels` .*100"),
        (None, 2, "exponential", "`labels` .*None"),
        ([], 2, "exponential", "`labels` "),
    ],
)
def test_bad_arguments(labels, factor, kind, message):
    with pytest.raises(ValueError, match=message):
        long_tail(labels, factor, 0, kind)


def test_a_bad_seed():
    with pytest.raises(ValueError, match="`seed` .*-2"):
        long_tail([0, 0], 2, -2)
