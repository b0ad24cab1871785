"""How often a view's nearest other view is its partner."""

from keras import ops

from keras_contrastive.losses.view_similarities import view_similarities


def contrastive_accuracy(
    view_1, view_2, *, candidates_1=None, candidates_2=None, positions=None
):
    """Whether each view's partner is the nearest of all other views.

    Args:
        view_1: float tensor `(batch, dim)`, any norm.
        view_2: float tensor `(batch, dim)`, the other views.
        candidates_1: as in `losses.nt_xent`.
        candidates_2: as in `losses.nt_xent`.
        positions: as in `losses.nt_xent`.

    Returns:
        Float32 tensor `(2 * batch,)`, 1 where the partner is nearest, else
        0; its mean is the accuracy. Ties count as correct.

    Example:

    >>> view = np.eye(4, dtype="float32")
    >>> float(ops.mean(contrastive_accuracy(view, view)))
    1.0
    """
    similarities, _, positives = view_similarities(
        view_1, view_2, candidates_1, candidates_2, positions
    )
    nearest = ops.max(similarities, axis=1)
    return ops.cast(positives >= nearest, "float32")
