"""NT-Xent of a batch of views, and what it tells about the batch."""

from keras import ops

from keras_contrastive.distribution import replicas
from keras_contrastive.losses.cosine import paired_cosines
from keras_contrastive.losses.nt_xent import nt_xent
from keras_contrastive.metrics.contrastive_figures import figures_of_ranks


def nt_xent_and_figures(
    view_1, view_2, temperature=0.5, chunk_size=None, **candidates
):
    """Each view's loss, and the contrastive figures of all.

    Args:
        view_1: float tensor `(batch, dim)`, one view of each image, any norm.
        view_2: float tensor `(batch, dim)`, the other view of each image.
        temperature: float > 0.
        chunk_size: as in `losses.nt_xent`; with one the figures do without
            the whole matrix of similarities, too.
        **candidates: candidates and positions, as in `losses.nt_xent`.

    Returns:
        Tensor `(2 * batch,)`; and a dict from each name of `FIGURES` to a
        tensor.
    """
    rows, ranks = nt_xent(
        view_1,
        view_2,
        temperature,
        chunk_size=chunk_size,
        with_ranks=True,
        **candidates,
    )
    first_views = candidates.get("candidates_1", view_1)
    images = ops.cast(ops.shape(first_views)[0], rows.dtype)
    if first_views is view_1:
        # Spread and uniformity are of the global batch, even where a replica
        # compares its own rows only.
        first_views = replicas.all_gather(view_1)
    return rows, figures_of_ranks(
        rows,
        ranks,
        2.0 * images - 2.0,
        paired_cosines(view_1, view_2),
        first_views,
        chunk_size,
    )
