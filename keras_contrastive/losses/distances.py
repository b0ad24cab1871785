"""Distances between embeddings, with a gradient wherever they are zero."""

from keras import ops

from keras_contrastive.losses.cosine import cosine_similarities
from keras_contrastive.losses.cosine import paired_cosines
from keras_contrastive.losses.cosine import raised

DISTANCES = ("euclidean", "squared", "cosine")


def pairwise_distances(rows, columns, distance):
    """Every row's distance from every column.

    Args:
        rows: float tensor `(num_rows, dim)`.
        columns: float tensor `(num_columns, dim)`.
        distance: `"euclidean"`, `"squared"` (Euclidean, squared) or
            `"cosine"` (one minus the cosine similarity).

    Returns:
        Tensor `(num_rows, num_columns)`, float32 or better.
    """
    check_distance(distance)
    if distance == "cosine":
        return 1.0 - cosine_similarities(rows, columns)
    # The norms of embeddings that lie together and far from zero would drown
    # their differences. No distance depends on where zero is.
    columns = raised(columns)
    centre = ops.stop_gradient(ops.mean(columns, axis=0, keepdims=True))
    rows, columns = raised(rows) - centre, columns - centre
    squared = (
        ops.sum(ops.square(rows), axis=1)[:, None]
        + ops.sum(ops.square(columns), axis=1)[None]
        - 2.0 * ops.matmul(rows, ops.transpose(columns))
    )
    # Rounding can lead below zero.
    squared = ops.maximum(squared, 0.0)
    return squared if distance == "squared" else _root(squared)


def distances(rows, others, distance):
    """Each row's distance from its counterpart.

    Args:
        rows: float tensor `(batch, dim)`.
        others: float tensor `(batch, dim)`.
        distance: as in `pairwise_distances`.

    Returns:
        Tensor `(batch,)`, float32 or better.
    """
    check_distance(distance)
    if distance == "cosine":
        return 1.0 - paired_cosines(rows, others)
    squared = ops.sum(ops.square(raised(rows) - raised(others)), axis=1)
    return squared if distance == "squared" else _root(squared)


def check_distance(distance):
    """Refuses the name of a distance that there is not.

    Args:
        distance: str.

    Raises:
        ValueError: if it is none of `DISTANCES`.
    """
    if distance not in DISTANCES:
        raise ValueError(
            f"`distance` must be one of {', '.join(DISTANCES)}, received "
            f"{distance!r}."
        )


def _root(squared):
    """The square root, with gradient zero where there is no direction."""
    is_zero = squared <= 0.0
    root = ops.sqrt(ops.where(is_zero, ops.ones_like(squared), squared))
    return ops.where(is_zero, ops.zeros_like(squared), root)
