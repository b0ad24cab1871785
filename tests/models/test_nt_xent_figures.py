import numpy as np
import pytest
from keras import ops

from keras_contrastive import losses
from keras_contrastive.losses.view_similarities import view_similarities
from keras_contrastive.metrics.contrastive_figures import FIGURES
from keras_contrastive.metrics.contrastive_figures import contrastive_figures
from keras_contrastive.models.nt_xent_figures import nt_xent_and_figures


def random_views(count=11, dim=3):
    generator = np.random.default_rng(0)
    view_1 = generator.normal(size=(count, dim)).astype("float32")
    noise = generator.normal(size=(count, dim)).astype("float32")
    return view_1, 0.7 * view_1 + noise


@pytest.mark.parametrize("chunk_size", [None, 1, 8, 100])
@pytest.mark.parametrize("rows", [slice(None), slice(2, 9)])
def test_figures_are_those_of_the_whole_matrix(chunk_size, rows):
    """All rows of a batch, or those of one replica."""
    view_1, view_2 = random_views()
    mine = view_1[rows], view_2[rows]
    everybody = {
        "candidates_1": view_1,
        "candidates_2": view_2,
        "positions": np.arange(11)[rows],
    }
    found_rows, found = nt_xent_and_figures(*mine, 0.2, chunk_size, **everybody)
    expected_rows = losses.nt_xent(*mine, 0.2, **everybody)
    np.testing.assert_allclose(found_rows, expected_rows, rtol=1e-5)
    similarities, _, positives = view_similarities(*mine, **everybody)
    expected = contrastive_figures(
        expected_rows, similarities, positives, view_1
    )
    assert tuple(found) == FIGURES
    for name in FIGURES:
        np.testing.assert_allclose(
            ops.mean(found[name]),
            ops.mean(expected[name]),
            rtol=1e-5,
            err_msg=name,
        )
    accuracy = float(ops.mean(expected["contrastive_accuracy"]))
    top_5 = float(ops.mean(expected["contrastive_top_5"]))
    assert 0 < accuracy < top_5 < 1


def test_without_candidates_the_views_are_the_batch():
    view_1, view_2 = random_views()
    rows, figures = nt_xent_and_figures(view_1, view_2, 0.5, 4)
    expected_rows, expected = nt_xent_and_figures(
        view_1, view_2, 0.5, candidates_1=view_1, candidates_2=view_2
    )
    np.testing.assert_allclose(rows, expected_rows, rtol=1e-5)
    for name in FIGURES:
        np.testing.assert_allclose(figures[name], expected[name], rtol=1e-4)
