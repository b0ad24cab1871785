import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive import losses
from tests.losses.checks import check_gradient
from tests.losses.checks import check_serialization
from tests.losses.checks import exact
from tests.losses.checks import in_chunks
from tests.losses.checks import random_embeddings


def numpy_rows(*args, **kwargs):
    rows = losses.bilinear_info_nce(*args, **kwargs)
    return ops.convert_to_numpy(rows)


def by_loops(contexts, matrix, targets, candidates, positions):
    """One context and one candidate at a time, from the definition."""
    rows = []
    for context, target, position in zip(contexts, targets, positions):
        assert np.array_equal(target, candidates[position])
        total = sum(np.exp(z @ matrix @ context) for z in candidates)
        rows.append(-np.log(np.exp(target @ matrix @ context) / total))
    return np.array(rows)


@pytest.mark.parametrize("number", [5, 11])
def test_equals_the_loops(number):
    contexts = random_embeddings(5, 4, dtype="float64") / 2
    candidates = random_embeddings(number, 3, 1, "float64")
    matrix = np.random.default_rng(2).normal(size=(3, 4))
    positions = np.random.default_rng(3).permutation(number)[:5]
    targets = candidates[positions]
    np.testing.assert_allclose(
        numpy_rows(
            contexts @ matrix.T,
            targets,
            candidates=candidates,
            positions=positions,
        ),
        by_loops(contexts, matrix, targets, candidates, positions),
        rtol=exact(1e-10),
    )


def test_without_candidates_they_are_the_targets():
    predictions = random_embeddings(6, 4, dtype="float64")
    targets = random_embeddings(6, 4, 1, "float64")
    expected = by_loops(predictions, np.eye(4), targets, targets, range(6))
    found = numpy_rows(predictions, targets)
    np.testing.assert_allclose(found, expected, rtol=exact(1e-10))


@pytest.mark.parametrize("number", [1, 4, 50])
def test_equal_scores_give_the_log_of_the_number(number):
    predictions = random_embeddings(1, 3)
    targets = np.repeat(random_embeddings(1, 3, 1), number, axis=0)
    rows = numpy_rows(
        predictions, targets[:1], candidates=targets, positions=[number - 1]
    )
    np.testing.assert_allclose(rows, np.log(number), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_right_angles_and_no_normalization(scale):
    rows = numpy_rows(scale * np.eye(4), np.eye(4))
    np.testing.assert_allclose(
        rows, np.log1p(3 * np.exp(-scale)), rtol=exact(1e-6)
    )


def test_the_positions_say_which_is_the_target():
    vectors = 9 * np.eye(4)
    right = numpy_rows(vectors, vectors)
    wrong = numpy_rows(
        vectors, vectors, candidates=vectors, positions=[1, 2, 3, 0]
    )
    assert right.max() < 1e-6 and wrong.min() > 80


@pytest.mark.parametrize("size", [1, 4, 10])
def test_chunks_of_predictions_are_the_whole(size):
    predictions, targets = random_embeddings(10, 5), random_embeddings(10, 5, 1)
    parts = [
        numpy_rows(
            predictions[part],
            targets[part],
            candidates=targets,
            positions=np.arange(10)[part],
        )
        for part in in_chunks(10, size)
    ]
    whole = numpy_rows(predictions, targets)
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-5)


def test_gradient_equals_finite_differences():
    arrays = [random_embeddings(4, 3, seed, "float64") for seed in range(2)]
    check_gradient(losses.bilinear_info_nce, *arrays)


def test_gradient_through_candidates_equals_finite_differences():
    predictions = random_embeddings(3, 2, dtype="float64")
    candidates = random_embeddings(5, 2, 1, "float64")

    def rows(predictions, candidates):
        return losses.bilinear_info_nce(
            predictions,
            candidates[1:4],
            candidates=candidates,
            positions=[1, 2, 3],
        )

    check_gradient(rows, predictions, candidates)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_large_scores_in_half_precision_are_finite(dtype):
    # Scores of some 100,000: beyond float16, and beyond exp in float32.
    predictions, targets = (
        ops.cast(200 * random_embeddings(8, 16, seed), dtype)
        for seed in range(2)
    )
    rows = losses.bilinear_info_nce(predictions, targets)
    assert keras.backend.standardize_dtype(rows.dtype) == "float32"
    assert np.isfinite(ops.convert_to_numpy(rows)).all()


def gaussian_information(number, rho=0.6, dim=4, batches=8, scale=1.0):
    """Mutual information of correlated Gaussians, by the best of scores.

    log p(y | x) / p(y) is, up to terms of x alone, rho x y / (1 - rho^2) -
    rho^2 y^2 / (2 (1 - rho^2)) in each dimension: bilinear in (x, 1) and
    (y, y^2).
    """
    generator = np.random.default_rng(0)
    rest = 1 - rho**2
    estimates = []
    for _ in range(batches):
        x, noise = generator.normal(size=(2, number, dim))
        y = rho * x + np.sqrt(rest) * noise
        squares = np.sum(y**2, axis=1, keepdims=True)
        contexts = np.concatenate([x, np.ones((number, 1))], axis=1)
        matrix = np.diag([rho / rest] * dim + [-(rho**2) / (2 * rest)])
        rows = numpy_rows(
            scale * contexts @ matrix, np.concatenate([y, squares], axis=1)
        )
        estimates.append(np.log(number) - rows.mean())
    return np.mean(estimates)


def test_mutual_information_of_gaussians_from_below():
    truth = -4 / 2 * np.log(1 - 0.6**2)  # 0.893 nats
    few, many = gaussian_information(8, batches=400), gaussian_information(512)
    assert few < many < truth + 0.02
    assert many > 0.95 * truth
    # Any other map knows less, and none nothing.
    assert gaussian_information(512, scale=2.0) < many - 0.1
    assert gaussian_information(512, scale=0.4) < many - 0.1
    np.testing.assert_allclose(
        gaussian_information(512, scale=0), 0, atol=exact(1e-9)
    )


def test_no_more_information_than_the_log_of_the_number():
    # 15.7 nats, which 64 candidates cannot show.
    found = gaussian_information(64, rho=0.99, dim=8)
    assert 0.95 * np.log(64) < found <= np.log(64)


def test_the_loss_is_the_mean_of_the_rows():
    predictions, targets = random_embeddings(6, 4), random_embeddings(6, 4, 1)
    found = float(losses.BilinearInfoNCE()(targets, predictions))
    expected = numpy_rows(predictions, targets).mean()
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    check_serialization(losses.BilinearInfoNCE(name="mine"))


def test_bad_input_is_refused():
    four, five = np.ones((4, 3)), np.ones((5, 3))
    with pytest.raises(ValueError, match=r"`targets`.*\(4, 3\) and \(5, 3\)"):
        losses.bilinear_info_nce(four, five)
    with pytest.raises(ValueError, match=r"`candidates`.*\(all, 3\).*\(5, 2\)"):
        losses.bilinear_info_nce(four, four, candidates=five[:, :2])
