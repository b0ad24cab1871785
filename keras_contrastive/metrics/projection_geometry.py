"""How projections lie on the unit sphere, whatever the loss."""

from keras import ops

from keras_contrastive.losses.cosine import unit_vectors
from keras_contrastive.losses.uniformity import uniformity

GEOMETRY = (
    "projection_alignment",
    "projection_uniformity",
    "projection_spread",
)


def projection_geometry(positives, projections, chunk_size=None):
    """Alignment of what belongs together, and how the whole is spread.

    - `projection_alignment`: squared distance of anchor and positive on the
      unit sphere.
    - `projection_uniformity`: log of the mean Gaussian potential of pairs.
    - `projection_spread`: standard deviation of unit vectors, averaged over
      the dimensions, times the root of their number: 0 where all are one
      point, 1 where they are uniform.

    Args:
        positives: `(any,)`, the cosines of anchors with their positives.
        projections: `(any, dim)`, of one view of each image.
        chunk_size: int, rows of the projections' similarities at a time, or
            None for all.

    Returns:
        Dict from each name of `GEOMETRY` to a tensor whose mean is the figure.

    Reference:
        Wang and Isola 2020, https://arxiv.org/abs/2005.10242
    """
    projections = ops.stop_gradient(projections)
    vectors = unit_vectors(projections)
    root = vectors.shape[-1] ** 0.5
    spread_out = uniformity(projections, chunk_size=chunk_size)
    return {
        "projection_alignment": 2.0 - 2.0 * ops.stop_gradient(positives),
        "projection_uniformity": spread_out[0],
        "projection_spread": ops.mean(ops.std(vectors, axis=0)) * root,
    }
