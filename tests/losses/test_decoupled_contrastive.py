import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive import losses
from tests.gradients import gradients
from tests.losses.checks import check_gradient
from tests.losses.checks import check_serialization
from tests.losses.checks import in_chunks
from tests.losses.checks import random_embeddings
from tests.losses.checks import unit


def numpy_rows(*args, **kwargs):
    return ops.convert_to_numpy(losses.decoupled_contrastive(*args, **kwargs))


def by_loops(view_1, view_2, temperature, sigma):
    """The paper's eq. 5 and 6, one pair at a time."""
    count = len(view_1)
    views = np.concatenate([unit(view_1), unit(view_2)])
    pairs = [views[k] @ views[k + count] for k in range(count)]
    rows = []
    for i in range(2 * count):
        image = i % count
        weight = 1.0
        if sigma is not None:
            mean = np.mean([np.exp(pair / sigma) for pair in pairs])
            weight = 2.0 - np.exp(pairs[image] / sigma) / mean
        total = sum(
            np.exp(views[i] @ views[j] / temperature)
            for j in range(2 * count)
            if j % count != image
        )
        rows.append(-weight * pairs[image] / temperature + np.log(total))
    return np.array(rows)


@pytest.mark.parametrize("sigma", [None, 0.5, 2.0])
@pytest.mark.parametrize("temperature", [0.1, 1.0])
@pytest.mark.parametrize("count", [2, 7])
def test_equals_the_loops(count, temperature, sigma):
    views = random_embeddings(count, 5), random_embeddings(count, 5, seed=1)
    np.testing.assert_allclose(
        numpy_rows(*views, temperature, sigma),
        by_loops(*views, temperature, sigma),
        rtol=2e-5,
        atol=2e-5,
    )


def test_closed_forms():
    ones = np.ones((4, 8), "float32")
    rows = numpy_rows(ones, ones, 0.5)
    np.testing.assert_allclose(rows, np.log(6) - 1 / 0.5 + 1 / 0.5, rtol=1e-5)
    eye = np.eye(4, dtype="float32")
    np.testing.assert_allclose(numpy_rows(eye, eye, 0.5), -0.208241, rtol=1e-5)


def test_it_is_nt_xent_without_the_positive_in_the_sum():
    views = random_embeddings(6, 4), random_embeddings(6, 4, seed=1)
    rows = numpy_rows(*views, 0.3).astype("float64")
    pairs = np.tile(np.sum(unit(views[0]) * unit(views[1]), axis=1), 2) / 0.3
    negatives = np.exp(rows + pairs)
    expected = np.log(negatives + np.exp(pairs)) - pairs
    found = ops.convert_to_numpy(losses.nt_xent(*views, 0.3))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_weights_have_mean_one():
    views = random_embeddings(6, 4), random_embeddings(6, 4, seed=1)
    plain, weighted = numpy_rows(*views, 0.3), numpy_rows(*views, 0.3, 0.5)
    pairs = np.tile(np.sum(unit(views[0]) * unit(views[1]), axis=1), 2)
    weights = 1.0 + (plain - weighted) / (pairs / 0.3)
    np.testing.assert_allclose(weights.mean(), 1.0, rtol=1e-4)
    # Pairs that are further apart have more weight.
    assert np.argmax(weights) == np.argmin(pairs)


@pytest.mark.parametrize("sigma", [None, 0.5])
@pytest.mark.parametrize("size", [1, 3])
def test_chunks_of_rows_are_the_whole(size, sigma):
    view_1, view_2 = random_embeddings(7, 5), random_embeddings(7, 5, seed=1)
    whole = numpy_rows(view_1, view_2, 0.3, sigma).reshape(2, 7)
    parts = [
        numpy_rows(
            view_1[part],
            view_2[part],
            0.3,
            sigma,
            candidates_1=view_1,
            candidates_2=view_2,
            positions=np.arange(7)[part],
        ).reshape(2, -1)
        for part in in_chunks(7, size)
    ]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, rtol=1e-5)


def test_gradient_equals_finite_differences():
    views = [random_embeddings(4, 3, seed, "float64") for seed in range(2)]
    check_gradient(
        lambda *each: losses.decoupled_contrastive(*each, 0.3), *views
    )


def test_weights_are_constants_to_the_gradient():
    views = [random_embeddings(4, 3, seed, "float64") for seed in range(2)]
    rows = numpy_rows(*views, 0.3, 0.5), numpy_rows(*views, 0.3)
    pairs = np.tile(np.sum(unit(views[0]) * unit(views[1]), axis=1), 2)
    weights = 1.0 + (rows[1] - rows[0]) / (pairs / 0.3)

    def by_hand(first, second):
        plain = losses.decoupled_contrastive(first, second, 0.3)
        similarities = ops.sum(first * second, axis=1) / (
            ops.norm(first, axis=1) * ops.norm(second, axis=1)
        )
        correction = (1.0 - weights) * ops.tile(similarities, 2) / 0.3
        return ops.sum(plain + correction)

    def weighted(first, second):
        return ops.sum(losses.decoupled_contrastive(first, second, 0.3, 0.5))

    for found, expected in zip(
        gradients(weighted, *views), gradients(by_hand, *views), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


def test_one_image_has_no_negatives():
    views = random_embeddings(1, 3), random_embeddings(1, 3, seed=1)
    np.testing.assert_array_equal(numpy_rows(*views), [0.0, 0.0])
    for gradient in gradients(
        lambda *each: ops.sum(losses.decoupled_contrastive(*each)), *views
    ):
        np.testing.assert_array_equal(gradient, np.zeros((1, 3)))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_low_temperature_in_half_precision_is_finite(dtype):
    views = [ops.cast(random_embeddings(8, 16, s), dtype) for s in range(2)]
    rows = losses.decoupled_contrastive(*views, 0.01, 0.1)
    assert keras.backend.standardize_dtype(rows.dtype) == "float32"
    assert np.isfinite(ops.convert_to_numpy(rows)).all()


def test_the_loss_is_the_mean_of_the_rows():
    views = random_embeddings(6, 4), random_embeddings(6, 4, seed=1)
    loss = losses.DecoupledContrastive(0.3, 0.5)
    expected = numpy_rows(*views, 0.3, 0.5).mean()
    np.testing.assert_allclose(float(loss(*views)), expected, rtol=1e-6)
    check_serialization(losses.DecoupledContrastive(0.3, 0.5, name="mine"))


@pytest.mark.parametrize("sigma", [0, -0.5])
def test_a_sigma_that_is_not_positive_is_refused(sigma):
    with pytest.raises(ValueError, match=f"`sigma`.*{sigma}"):
        losses.decoupled_contrastive(*random_embeddings(2, 3), 0.1, sigma)
    with pytest.raises(ValueError, match=f"`sigma`.*{sigma}"):
        losses.DecoupledContrastive(sigma=sigma)
