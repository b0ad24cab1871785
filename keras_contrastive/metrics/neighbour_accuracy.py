"""How often the nearest other embedding is of the same class."""

from keras import ops

from keras_contrastive.losses.cosine import cosine_similarities
from keras_contrastive.losses.label_pairs import label_pairs


def neighbour_accuracy(
    labels,
    embeddings,
    *,
    candidate_labels=None,
    candidates=None,
    positions=None,
):
    """Whether each embedding's nearest other one is of its class.

    Args:
        labels: int tensor `(batch,)`.
        embeddings: float tensor `(batch, dim)`, any norm.
        candidate_labels: as in `losses.supervised_contrastive`.
        candidates: as in `losses.supervised_contrastive`.
        positions: as in `losses.supervised_contrastive`.

    Returns:
        Float32 tensor `(batch,)`, 1 where it is, else 0; its mean is the
        accuracy. Ties count as correct.

    Example:

    >>> embeddings = np.eye(2, dtype="float32")[[0, 0, 1, 1]]
    >>> float(ops.mean(neighbour_accuracy([0, 0, 1, 1], embeddings)))
    1.0
    """
    candidates, is_positive, is_negative = label_pairs(
        labels, embeddings, candidate_labels, candidates, positions
    )
    similarities = cosine_similarities(embeddings, candidates)
    # Below any cosine: who has no positive finds none.
    alike = ops.max(ops.where(is_positive, similarities, -3.0), axis=1)
    other = ops.max(ops.where(is_negative, similarities, -2.0), axis=1)
    return ops.cast(alike >= other, "float32")
