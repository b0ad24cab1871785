"""Cosine similarity in a precision that a contrastive loss can bear.

At temperature 0.01 a float16 similarity overflows as soon as it is scaled,
so that whatever is below float32 is raised to it first; float64 stays.
"""

import keras
from keras import ops

# Below this squared norm a vector has no direction: it is left near zero
# rather than divided by nothing, and its gradient stays finite.
_SMALLEST_SQUARED_NORM = 1e-24


def unit_vectors(vectors):
    """Scales each row to length one, in float32 or better.

    Args:
        vectors: float tensor `(..., dim)`.

    Returns:
        Tensor of the same shape; float64 if `vectors` is, else float32.
    """
    vectors = raised(vectors)
    squared_norm = ops.sum(ops.square(vectors), axis=-1, keepdims=True)
    return vectors * ops.rsqrt(
        ops.maximum(squared_norm, _SMALLEST_SQUARED_NORM)
    )


def cosine_similarities(rows, columns):
    """Every row's cosine similarity with every column.

    Args:
        rows: float tensor `(num_rows, dim)`, any norm.
        columns: float tensor `(num_columns, dim)`, any norm.

    Returns:
        Tensor `(num_rows, num_columns)` in [-1, 1], float32 or better.
    """
    return ops.matmul(unit_vectors(rows), ops.transpose(unit_vectors(columns)))


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
