"""Cosine similarity in a precision that a contrastive loss can bear.

At temperature 0.01 a float16 similarity overflows as soon as it is scaled,
so that whatever is below float32 is raised to it first; float64 stays.
"""

import keras
from keras import ops

# Up to this squared norm a vector has no direction to speak of. It is left as
# it is: to divide it by its norm would give a gradient without bound.
_SMALLEST_SQUARED_NORM = 1e-12


def unit_vectors(vectors):
    """Scales each row to length one, in float32 or better.

    A row whose norm is at most 1e-6 is left as it is, and so is its gradient.

    Args:
        vectors: float tensor `(..., dim)`.

    Returns:
        Tensor of the same shape; float64 if `vectors` is, else float32.
    """
    vectors = raised(vectors)
    squared_norm = ops.sum(ops.square(vectors), axis=-1, keepdims=True)
    has_direction = squared_norm > _SMALLEST_SQUARED_NORM
    # One within the root, too: what is not chosen must have no gradient of
    # infinity.
    squared_norm = ops.where(
        has_direction, squared_norm, ops.ones_like(squared_norm)
    )
    return vectors * ops.rsqrt(squared_norm)


def cosine_similarities(rows, columns):
    """Every row's cosine similarity with every column.

    Args:
        rows: float tensor `(num_rows, dim)`, any norm.
        columns: float tensor `(num_columns, dim)`, any norm.

    Returns:
        Tensor `(num_rows, num_columns)` in [-1, 1], float32 or better.
    """
    return ops.matmul(unit_vectors(rows), ops.transpose(unit_vectors(columns)))


def paired_cosines(rows, others):
    """Each row's cosine similarity with its counterpart.

    Args:
        rows: float tensor `(batch, dim)`, any norm.
        others: float tensor `(batch, dim)`, any norm.

    Returns:
        Tensor `(batch,)` in [-1, 1], float32 or better.
    """
    return ops.sum(unit_vectors(rows) * unit_vectors(others), axis=1)


def raised(values):
    """Casts to float32 what is below it; float64 stays.

    Args:
        values: tensor of any shape.

    Returns:
        float64 tensor if `values` is, else float32.
    """
    values = ops.convert_to_tensor(values)
    dtype = keras.backend.result_type(values.dtype, "float32")
    return ops.cast(values, dtype)
