import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive import losses
from tests.gradients import gradients
from tests.losses.checks import check_gradient
from tests.losses.checks import check_serialization
from tests.losses.checks import exact
from tests.losses.checks import in_chunks
from tests.losses.checks import random_embeddings

WEIGHTS = {
    "distance_weight": 0.7,
    "consistency_weight": 0.3,
    "gamma": 2.5,
    "margin": 1.2,
}


def arguments(dtype="float64"):
    """Two views of unlike spread and mean, and scores on both sides."""
    generator = np.random.default_rng(5)
    first = random_embeddings(6, 3, 0, dtype)
    second = 0.4 * random_embeddings(6, 3, 1, dtype) - 0.8
    scores = generator.normal(size=(2, 6)) * 2
    return first, second.astype(dtype), *scores.astype(dtype)


def terms_by_hand(first, second, positive, negative, gamma, margin):
    """Discrimination and distance of each row, consistency of the batch."""
    discrimination, distance = [], []
    for row in range(len(first)):
        truth = 1 / (1 + np.exp(-positive[row]))
        lie = 1 / (1 + np.exp(-negative[row]))
        ranking = max(0.0, margin + negative[row] - positive[row])
        discrimination.append(-np.log(truth) - np.log(1 - lie) + ranking)
        distance.append(np.linalg.norm(first[row] - second[row]) ** 2)
    divergences = []
    for view in (first, second):
        divergence = 0.0
        for column in view.T:
            mean = sum(column) / len(column)
            variance = sum((column - mean) ** 2) / len(column)
            divergence += (mean**2 + variance - 1 - np.log(variance)) / 2
        divergences.append(divergence)
    consistency = gamma * divergences[0] + divergences[1]
    return np.array(discrimination), np.array(distance), consistency


def test_equals_the_formula():
    given = arguments()
    discrimination, distance, consistency = terms_by_hand(*given, 2.5, 1.2)
    rows = losses.siamese_composite(*given, **WEIGHTS)
    expected = discrimination + 0.7 * distance + 0.3 * consistency
    np.testing.assert_allclose(rows, expected, rtol=exact(1e-9))
    first, second, *scores = given
    loss = losses.SiameseComposite(**WEIGHTS)
    found = loss(np.stack(scores, axis=1), np.stack([first, second], axis=1))
    np.testing.assert_allclose(found, expected.mean(), rtol=1e-5)


def test_closed_forms():
    # Standard views that are alike, and a perfect discriminator: nothing.
    view, scores = np.array([[-1.0], [1.0]]), np.array([50.0, 50.0])
    rows = losses.siamese_composite(view, view, scores, -scores)
    np.testing.assert_allclose(rows, 0.0, atol=1e-9)
    # Scores of zero: twice log 2, and the margin.
    rows = losses.siamese_composite(view, view, 0 * scores, 0 * scores)
    np.testing.assert_allclose(rows, 2 * np.log(2) + 1, rtol=exact(1e-9))
    # A view moved by 3: a distance of 9, and 9 / 2 for its mean.
    rows = losses.siamese_composite(
        view, view + 3, scores, -scores, distance_weight=2.0
    )
    np.testing.assert_allclose(rows, 2 * 9 + 4.5, rtol=exact(1e-9))


@pytest.mark.parametrize(
    "switched_off", [("distance_weight",), ("consistency_weight",), ("gamma",)]
)
def test_a_weight_of_zero_switches_its_term_off(switched_off):
    given = arguments()
    weights = {**WEIGHTS, **dict.fromkeys(switched_off, 0.0)}
    parts = terms_by_hand(*given, weights["gamma"], 1.2)
    expected = (
        parts[0]
        + weights["distance_weight"] * parts[1]
        + weights["consistency_weight"] * parts[2]
    )
    rows = losses.siamese_composite(*given, **weights)
    np.testing.assert_allclose(rows, expected, rtol=exact(1e-9))
    full = losses.siamese_composite(*given, **WEIGHTS)
    assert np.abs(np.asarray(full) - expected).min() > 1e-3


def test_without_margin_and_without_scores():
    first, second, positive, negative = arguments()
    without = {**WEIGHTS, "margin": None}
    rows = losses.siamese_composite(
        first, second, positive, negative, **without
    )
    rest = losses.siamese_composite(first, second, None, None, **WEIGHTS)
    judged = losses.pair_discrimination(positive, negative, None)
    np.testing.assert_allclose(rows, rest + judged, rtol=exact(1e-9))


def test_gamma_weighs_view_1_only():
    first, second, *scores = arguments()
    rows = [
        np.asarray(losses.siamese_composite(*views, *scores, **WEIGHTS))
        for views in ((first, second), (second, first))
    ]
    kl_1, kl_2 = map(float, map(losses.batch_gaussian_kl, (first, second)))
    expected = 0.3 * (2.5 - 1) * (kl_1 - kl_2)
    assert abs(expected) > 0.1
    np.testing.assert_allclose(rows[0] - rows[1], expected, rtol=1e-6)


@pytest.mark.parametrize("size", [1, 2, 4])
def test_chunks_with_candidates_are_the_whole(size):
    given = arguments()
    everybody = {"candidates_1": given[0], "candidates_2": given[1]}
    whole = losses.siamese_composite(*given, **WEIGHTS)
    parts = [
        losses.siamese_composite(
            *(each[part] for each in given), **WEIGHTS, **everybody
        )
        for part in in_chunks(6, size)
    ]
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=exact(1e-9))


def test_gradient_equals_finite_differences():
    check_gradient(
        lambda *each: losses.siamese_composite(*each, **WEIGHTS), *arguments()
    )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_finite(dtype):
    given = [ops.cast(100 * each, dtype) for each in arguments()]
    rows = losses.siamese_composite(*given, **WEIGHTS)
    assert keras.backend.standardize_dtype(rows.dtype) == "float32"
    assert np.isfinite(ops.convert_to_numpy(rows)).all()


def test_a_batch_that_is_one_point_is_finite():
    ones, zeros = np.ones((4, 3), "float32"), np.zeros(4, "float32")
    found = gradients(
        lambda *each: ops.sum(losses.siamese_composite(*each, **WEIGHTS)),
        ones,
        ones,
        zeros,
        zeros,
    )
    assert all(np.isfinite(each).all() for each in found)


def test_it_survives_serialization():
    check_serialization(losses.SiameseComposite(**WEIGHTS, name="mine"))


@pytest.mark.parametrize("name", ["distance_weight", "gamma", "margin"])
def test_negative_weights_are_refused(name):
    with pytest.raises(ValueError, match=f"`{name}` must be.* -0.5"):
        losses.siamese_composite(*arguments(), **{name: -0.5})
    with pytest.raises(ValueError, match=f"`{name}` must be.* -0.5"):
        losses.SiameseComposite(**{name: -0.5})


def test_a_negative_epsilon_is_refused():
    with pytest.raises(ValueError, match="`consistency_weight` must be.* -1"):
        losses.SiameseComposite(consistency_weight=-1)
    with pytest.raises(ValueError, match="`gamma` must be.* nan"):
        losses.SiameseComposite(gamma=float("nan"))


def test_bad_input_is_refused():
    first, second, positive, negative = arguments()
    with pytest.raises(ValueError, match=r"\(6, 3\) and \(5, 3\)"):
        losses.siamese_composite(first, second[:5], positive, negative)
    with pytest.raises(ValueError, match=r"\(6,\) and \(5,\)"):
        losses.siamese_composite(first, second, positive, negative[:5])
    with pytest.raises(ValueError, match="received 1 for 6 rows"):
        losses.siamese_composite(first, second, positive[:1], negative[:1])
    with pytest.raises(ValueError, match="candidates.* only one"):
        losses.siamese_composite(*arguments(), candidates_1=first)
    with pytest.raises(ValueError, match="scores.* only one"):
        losses.siamese_composite(first, second, positive, None)
