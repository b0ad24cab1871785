import numpy as np
import pytest
from keras import ops

from keras_contrastive.losses.distances import distances
from keras_contrastive.losses.distances import pairwise_distances
from tests.losses.checks import check_gradient
from tests.losses.checks import random_embeddings
from tests.losses.checks import unit


def by_loops(rows, columns, distance):
    def one(row, column):
        if distance == "cosine":
            return 1 - unit([row])[0] @ unit([column])[0]
        squared = ((row - column) ** 2).sum()
        return squared if distance == "squared" else np.sqrt(squared)

    return [[one(row, column) for column in columns] for row in rows]


@pytest.mark.parametrize("distance", ["euclidean", "squared", "cosine"])
def test_distances_are_their_definition(distance):
    rows, columns = random_embeddings(5, 4), random_embeddings(5, 4, seed=1)
    expected = np.array(by_loops(rows, columns, distance))
    np.testing.assert_allclose(
        pairwise_distances(rows, columns[:3], distance),
        expected[:, :3],
        rtol=1e-4,
        atol=1e-5,
    )
    np.testing.assert_allclose(
        distances(rows, columns, distance), np.diag(expected), rtol=1e-5
    )


def test_a_vector_is_at_no_distance_from_itself_and_none_is_negative():
    rows = 1e3 * random_embeddings(20, 8)
    for distance in ("euclidean", "squared"):
        table = np.asarray(pairwise_distances(rows, rows, distance))
        assert (table >= 0).all()


@pytest.mark.parametrize("distance", ["euclidean", "squared"])
def test_embeddings_that_lie_close_together_keep_their_distances(distance):
    rows = 100 + 0.01 * random_embeddings(6, 8)
    columns = 100 + 0.01 * random_embeddings(5, 8, seed=1)
    found = pairwise_distances(rows, columns, distance)
    expected = by_loops(
        rows.astype("float64"), columns.astype("float64"), distance
    )
    np.testing.assert_allclose(found, expected, rtol=1e-3)


@pytest.mark.parametrize("distance", ["euclidean", "squared"])
def test_the_gradient_is_that_of_finite_differences(distance):
    check_gradient(
        lambda *each: ops.sum(pairwise_distances(*each, distance), axis=1),
        5 + random_embeddings(4, 3, 0, "float64"),
        5 + random_embeddings(3, 3, 1, "float64"),
    )


def test_an_unknown_distance_is_refused():
    with pytest.raises(ValueError, match="`distance`.*'l1'"):
        pairwise_distances(np.ones((2, 2)), np.ones((2, 2)), "l1")
