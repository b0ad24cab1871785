"""Rows are normalized from their moments, whatever statistics are chosen."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive.layers import row_normalization


def whole_batch(row_mean, row_variance, gamma):
    """Batch normalization by the law of total variance."""
    mean = ops.mean(row_mean, axis=0)
    variance = ops.mean(row_variance + ops.square(row_mean - mean), axis=0)
    scale = gamma / ops.sqrt(variance) * ops.ones_like(row_mean)
    return scale, (row_mean - mean) * scale, [mean, variance]


@pytest.mark.parametrize(
    "normalize",
    [
        row_normalization.normalize_rows,
        row_normalization.normalize_rows_neutrally,
    ],
)
@pytest.mark.parametrize(
    "shape", [(7, 3), (5, 6, 3), (4, 2, 5, 3), (2, 3, 2, 2, 3), (3, 4, 4, 64)]
)
def test_rows_make_up_batch_normalization(normalize, shape):
    generator = np.random.default_rng(0)
    values = generator.normal(2.0, 3.0, size=shape).astype("float32")
    gamma = np.linspace(0.5, 2.0, shape[-1]).astype("float32")
    outputs, (mean, variance) = normalize(
        ops.convert_to_tensor(values),
        whole_batch,
        [ops.convert_to_tensor(gamma)],
    )
    axes = tuple(range(len(shape) - 1))
    deviation = values.std(axes)
    np.testing.assert_allclose(mean, values.mean(axes), rtol=1e-4)
    np.testing.assert_allclose(variance, deviation**2, rtol=1e-4)
    expected = (values - values.mean(axes)) / deviation * gamma
    np.testing.assert_allclose(outputs, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("shape", [(64, 3), (8, 4, 4, 64)])
def test_variances_survive_a_large_mean(shape):
    # mean(x^2) - mean(x)^2 in float32 is off by about ten here.
    values = np.random.default_rng(0).normal(1e4, 1.0, size=shape)
    values = values.astype("float32")
    _, (_, variance) = row_normalization.normalize_rows(
        ops.convert_to_tensor(values), whole_batch, [ops.ones(())]
    )
    expected = values.astype("float64").var(tuple(range(len(shape) - 1)))
    np.testing.assert_allclose(variance, expected, rtol=1e-3)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("float16", "float32"),
        ("bfloat16", "float32"),
        ("float32", "float32"),
        ("float64", "float64"),
    ],
)
def test_moments_are_at_least_float32(given, expected):
    if given == "float64" and keras.backend.backend() == "jax":
        pytest.skip("JAX has float64 only where it is switched on.")
    assert row_normalization.moments_dtype(ops.zeros(1, given)) == expected
