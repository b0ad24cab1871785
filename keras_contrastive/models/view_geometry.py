"""How the projections of a batch lie, for methods without similarities."""

from keras_contrastive.distribution import replicas
from keras_contrastive.losses.cosine import paired_cosines
from keras_contrastive.metrics.projection_geometry import projection_geometry


def view_geometry(view_1, view_2):
    """Alignment of two views, and spread and uniformity of the global batch.

    Args:
        view_1: float tensor `(batch, dim)`, one of what belongs together.
        view_2: float tensor `(batch, dim)`, the other.

    Returns:
        Dict from each name of `GEOMETRY` to a tensor.
    """
    cosines = paired_cosines(view_1, view_2)
    return projection_geometry(cosines, replicas.all_gather(view_1))
