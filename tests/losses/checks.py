"""What the tests of all losses do alike."""

import keras
import numpy as np
import pytest
from keras import ops

from tests.gradients import gradients


def random_embeddings(count, dim, seed=0, dtype="float32"):
    """Vectors around a point that is not the origin, of uneven spread."""
    generator = np.random.default_rng(seed)
    spread = np.linspace(0.5, 2.0, dim)
    values = generator.normal(size=(count, dim)) * spread + 0.3
    return values.astype(dtype)


def unit(vectors):
    """Rows of length one, in float64."""
    vectors = np.asarray(vectors, "float64")
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def exact(bound):
    """A bound for float64; on JAX, which has it only if asked, for float32."""
    return 1e-5 if keras.backend.backend() == "jax" else bound


def check_gradient(rows, *arrays, shift=1e-6):
    """Compares the gradient of rows with finite differences, in float64.

    Args:
        rows: function of tensors that gives a row each.
        *arrays: float64 arrays.
        shift: float, half of the difference.
    """
    if keras.backend.backend() == "jax":
        pytest.skip("JAX has float64 only where it is switched on.")
    number = np.shape(rows(*arrays))[0]
    weights = np.random.default_rng(3).normal(size=number)

    def value(*tensors):
        result = rows(*tensors)
        assert keras.backend.standardize_dtype(result.dtype) == "float64"
        return ops.sum(result * weights)

    for which, gradient in enumerate(gradients(value, *arrays)):
        for index in np.ndindex(arrays[which].shape):
            differences = []
            for sign in (1, -1):
                shifted = [array.copy() for array in arrays]
                shifted[which][index] += sign * shift
                differences.append(sign * float(value(*shifted)))
            numeric = sum(differences) / (2 * shift)
            np.testing.assert_allclose(
                gradient[index], numeric, rtol=1e-5, atol=1e-6
            )


def check_serialization(loss):
    """A loss comes back from its config as it was."""
    config = keras.saving.serialize_keras_object(loss)
    copy = keras.saving.deserialize_keras_object(config)
    assert type(copy) is type(loss)
    assert copy.get_config() == loss.get_config()


def in_chunks(count, size):
    """Slices that cover `count` rows, the last one shorter."""
    return [slice(start, start + size) for start in range(0, count, size)]
