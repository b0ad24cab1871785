import numpy as np
import pytest

from keras_contrastive import losses
from tests.losses.checks import check_gradient
from tests.losses.checks import check_serialization
from tests.losses.checks import exact
from tests.losses.checks import random_embeddings
from tests.losses.checks import unit


def test_equals_the_formula():
    first, second = random_embeddings(5, 4), random_embeddings(5, 4, seed=1)
    rows = losses.pair_distance(first, second)
    expected = ((first - second) ** 2).sum(axis=1)
    np.testing.assert_allclose(rows, expected, rtol=1e-5)
    loss = losses.PairDistance()
    np.testing.assert_allclose(loss(first, second), expected.mean(), rtol=1e-5)
    check_serialization(losses.PairDistance(name="mine"))


def test_on_unit_vectors_it_is_two_minus_twice_the_cosine():
    first, second = (unit(random_embeddings(5, 4, seed)) for seed in range(2))
    rows = losses.pair_distance(first, second)
    expected = 2 - 2 * (first * second).sum(axis=1)
    np.testing.assert_allclose(rows, expected, rtol=exact(1e-9))


def test_gradient_equals_finite_differences():
    arrays = [random_embeddings(4, 3, seed, "float64") for seed in range(2)]
    check_gradient(losses.pair_distance, *arrays)


def test_pairs_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match=r"\(4, 2\) and \(3, 2\)"):
        losses.pair_distance(np.ones((4, 2)), np.ones((3, 2)))
