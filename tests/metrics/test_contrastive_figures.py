import numpy as np
import pytest

from keras_contrastive import evaluation
from keras_contrastive import losses
from keras_contrastive import metrics
from keras_contrastive.losses.view_similarities import view_similarities
from keras_contrastive.metrics.contrastive_figures import FIGURES


def views(count=9, dim=5):
    generator = np.random.default_rng(0)
    view_1 = generator.normal(size=(count, dim))
    return view_1, 0.9 * view_1 + generator.normal(size=(count, dim))


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def figures(view_1, view_2, temperature=0.5):
    rows = losses.nt_xent(view_1, view_2, temperature)
    similarities, _, positives = view_similarities(view_1, view_2)
    found = metrics.contrastive_figures(rows, similarities, positives, view_1)
    assert tuple(found) == FIGURES
    return {name: float(np.mean(values)) for name, values in found.items()}


def test_equal_a_count_by_loops():
    view_1, view_2 = views()
    both = np.concatenate([unit(view_1), unit(view_2)])
    nearest, top_5, positive_weights, negative_weights = [], [], [], []
    for i, anchor in enumerate(both):
        partner = (i + 9) % 18
        others = [j for j in range(18) if j != i]
        cosines = {j: anchor @ both[j] for j in others}
        order = sorted(others, key=cosines.get, reverse=True)
        nearest.append(order[0] == partner)
        top_5.append(partner in order[:5])
        weights = {j: np.exp(cosines[j] / 0.5) for j in others}
        total = sum(weights.values())
        positive_weights.append(weights.pop(partner) / total)
        negative_weights.append(np.mean(list(weights.values())) / total)
    found = figures(view_1, view_2)
    expected = {
        "contrastive_accuracy": nearest,
        "contrastive_top_5": top_5,
        "positive_weight": positive_weights,
        "negative_weight": negative_weights,
    }
    assert 0 < np.mean(nearest) < np.mean(top_5) < 1
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], np.mean(values), rtol=1e-5)


def test_geometry_is_the_evaluations():
    view_1, view_2 = views()
    found = figures(view_1, view_2)
    np.testing.assert_allclose(
        found["projection_alignment"],
        evaluation.alignment(view_1, view_2),
        rtol=1e-5,
    )
    np.testing.assert_allclose(
        found["projection_uniformity"],
        evaluation.uniformity(view_1),
        rtol=1e-5,
    )


def test_spread_is_zero_for_a_point_and_one_for_a_sphere():
    ones = np.ones((8, 6))
    assert figures(ones, ones)["projection_spread"] == pytest.approx(
        0, abs=1e-6
    )
    sphere = np.random.default_rng(0).normal(size=(2000, 6))
    assert figures(sphere, sphere)["projection_spread"] == pytest.approx(
        1, rel=0.01
    )
