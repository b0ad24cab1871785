"""What every contrastive loss can say about a batch, from its similarities."""

from keras import ops

from keras_contrastive.metrics.projection_geometry import GEOMETRY
from keras_contrastive.metrics.projection_geometry import projection_geometry

FIGURES = (
    "contrastive_accuracy",
    "contrastive_top_5",
    "positive_weight",
    "negative_weight",
    *GEOMETRY,
)


def contrastive_figures(rows, similarities, positives, projections):
    """Measures how a batch of anchors finds its positives.

    - `contrastive_accuracy`, `contrastive_top_5`: whether the positive is
      nearest, or among the five nearest. Ties count as found.
    - `positive_weight`, `negative_weight`: the softmax weight of the
      positive, and of a negative on average: how much each pulls and pushes.
      (The first source's alignment coefficients.)
    - the three of `projection_geometry`.

    Args:
        rows: `(anchors,)`, the negative log softmax weight of each positive:
            the rows of NT-Xent or InfoNCE.
        similarities: `(anchors, any)`, cosines, the positive among them; what
            is not compared is below -1.
        positives: `(anchors,)`, the cosine of each positive.
        projections: `(any, dim)`, of one view of each image.

    Returns:
        Dict from each name of `FIGURES` to a tensor whose mean is the figure.

    References:
        - Chen et al. 2020, https://arxiv.org/abs/2002.05709
        - Wang and Isola 2020, https://arxiv.org/abs/2005.10242
    """
    compared = ops.cast(similarities >= -1.5, rows.dtype)
    nearer = ops.cast(similarities > positives[:, None], rows.dtype)
    return figures_of_ranks(
        rows,
        ops.sum(nearer, axis=1),
        ops.sum(compared, axis=1) - 1.0,
        positives,
        projections,
    )


def figures_of_ranks(
    rows, ranks, negatives, positives, projections, chunk_size=None
):
    """The contrastive figures where no similarities are at hand.

    Args:
        rows: as in `contrastive_figures`.
        ranks: `(anchors,)`, how many negatives are nearer than the positive.
        negatives: number or tensor `(anchors,)`, how many there are.
        positives: `(any,)`, the cosines of anchors with their positives.
        projections: as in `contrastive_figures`.
        chunk_size: int, rows of the projections' similarities at a time, or
            None for all.

    Returns:
        As `contrastive_figures`.
    """
    weight = ops.exp(-rows)
    return {
        "contrastive_accuracy": ops.cast(ranks < 1, "float32"),
        "contrastive_top_5": ops.cast(ranks < 5, "float32"),
        "positive_weight": weight,
        "negative_weight": (1.0 - weight) / ops.maximum(negatives, 1.0),
        **projection_geometry(positives, projections, chunk_size),
    }
