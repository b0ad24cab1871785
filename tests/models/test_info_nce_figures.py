import numpy as np

from keras_contrastive import losses
from keras_contrastive.models.info_nce_figures import info_nce_and_figures
from tests.losses.checks import random_embeddings
from tests.losses.checks import unit


def test_rows_and_figures_are_of_the_same_similarities():
    queries, keys, negatives = (
        random_embeddings(count, 5, seed)
        for seed, count in enumerate((6, 6, 9))
    )
    rows, figures = info_nce_and_figures(queries, keys, negatives, 0.3)
    expected = losses.info_nce(queries, keys, negatives, 0.3)
    np.testing.assert_allclose(rows, expected, rtol=1e-6)
    positives = np.sum(unit(queries) * unit(keys), axis=1)
    nearest = np.max(unit(queries) @ unit(negatives).T, axis=1)
    found = np.asarray(figures["contrastive_accuracy"])
    np.testing.assert_array_equal(found, positives >= nearest)
    assert 0 < found.mean() < 1
    alignment = np.asarray(figures["projection_alignment"])
    np.testing.assert_allclose(alignment, 2 - 2 * positives, atol=1e-5)
