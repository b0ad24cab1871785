import numpy as np
import pytest
from keras import ops

from keras_contrastive import losses
from keras_contrastive.losses.cosine import cosine_similarities
from keras_contrastive.losses.cosine import unit_vectors
from tests.gradients import gradients
from tests.losses.checks import random_embeddings
from tests.losses.checks import unit


@pytest.mark.parametrize("scale", [1e-5, 1.0, 1e5])
def test_rows_become_of_length_one(scale):
    rows = scale * random_embeddings(5, 4)
    np.testing.assert_allclose(unit_vectors(rows), unit(rows), rtol=1e-5)
    columns = random_embeddings(3, 4, seed=1)
    np.testing.assert_allclose(
        cosine_similarities(rows, columns),
        unit(rows) @ unit(columns).T,
        atol=1e-5,
    )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_the_gradient_of_a_zero_row_is_bounded(dtype):
    """In the losses, too, where temperatures make gradients larger."""
    rows = ops.convert_to_numpy(ops.cast(random_embeddings(5, 4), dtype))
    rows[2] = 0

    def value(first, second):
        first, second = ops.cast(first, dtype), ops.cast(second, dtype)
        return ops.sum(losses.nt_xent(first, second, 0.05))

    for gradient in gradients(value, rows, rows[::-1].copy()):
        gradient = gradient.astype("float64")
        assert np.isfinite(gradient).all() and np.abs(gradient).max() < 1e3
        assert np.abs(gradient[2]).max() > 0


def test_rows_without_direction_are_left_as_they_are():
    rows = np.array([[0.0, 0.0], [3e-8, -4e-8]], "float32")
    np.testing.assert_array_equal(unit_vectors(rows), rows)
