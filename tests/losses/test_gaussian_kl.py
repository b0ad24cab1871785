import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive import losses
from tests.gradients import gradients
from tests.losses.checks import check_gradient
from tests.losses.checks import check_serialization
from tests.losses.checks import random_embeddings

MEAN = np.array([[0.0, 1.0, -2.0], [0.5, 0.0, 3.0]])
VARIANCE = np.array([[1.0, 0.3, 2.0], [4.0, 1.0, 0.1]])


def by_quadrature(mean, variance, other_mean, other_variance):
    """The definition, E[log p - log q], on a fine grid, one dimension."""
    deviation = np.sqrt(variance)
    x = np.linspace(mean - 12 * deviation, mean + 12 * deviation, 200001)
    log_p = -0.5 * ((x - mean) ** 2 / variance + np.log(2 * np.pi * variance))
    log_q = -0.5 * (
        (x - other_mean) ** 2 / other_variance
        + np.log(2 * np.pi * other_variance)
    )
    return np.trapezoid(np.exp(log_p) * (log_p - log_q), x)


@pytest.mark.parametrize("other", [(0.0, 1.0), (0.7, 2.5)])
def test_equals_the_definition(other):
    rows = losses.gaussian_kl(MEAN, VARIANCE, *other)
    expected = [
        sum(by_quadrature(m, v, *other) for m, v in zip(means, variances))
        for means, variances in zip(MEAN, VARIANCE)
    ]
    np.testing.assert_allclose(rows, expected, rtol=1e-6)


def test_it_is_zero_for_the_standard_normal_only():
    zeros, ones = np.zeros((1, 3)), np.ones((1, 3))
    assert float(losses.gaussian_kl(zeros, ones)[0]) == 0.0
    assert float(losses.gaussian_kl(zeros + 0.1, ones)[0]) > 0
    assert float(losses.gaussian_kl(zeros, ones * 0.9)[0]) > 0
    assert float(losses.gaussian_kl(zeros, ones * 1.1)[0]) > 0


def test_of_a_batch():
    embeddings = random_embeddings(12, 3)
    found = float(losses.batch_gaussian_kl(embeddings))
    mean, variance = embeddings.mean(axis=0), embeddings.var(axis=0)
    expected = 0.5 * np.sum(mean**2 + variance - 1 - np.log(variance))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_of_a_batch_that_is_one_point():
    ones = np.ones((4, 3), "float32")
    assert np.isfinite(float(losses.batch_gaussian_kl(ones)))
    assert np.isfinite(gradients(losses.batch_gaussian_kl, ones)[0]).all()


def test_gradient_equals_finite_differences():
    check_gradient(losses.gaussian_kl, MEAN, VARIANCE)
    check_gradient(
        lambda each: losses.batch_gaussian_kl(each)[None],
        random_embeddings(5, 3, dtype="float64"),
    )


def test_half_precision_is_raised():
    mean = ops.cast(300 * MEAN, "float16")
    rows = losses.gaussian_kl(mean, ops.cast(VARIANCE, "float16"))
    assert keras.backend.standardize_dtype(rows.dtype) == "float32"
    assert np.isfinite(ops.convert_to_numpy(rows)).all()


def test_the_loss_is_the_mean_of_the_rows():
    found = losses.GaussianKL()(VARIANCE, MEAN)
    expected = np.mean(losses.gaussian_kl(MEAN, VARIANCE))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    check_serialization(losses.GaussianKL(name="mine"))


def test_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match=r"\(2, 3\) and \(2, 2\)"):
        losses.gaussian_kl(MEAN, VARIANCE[:, :2])
