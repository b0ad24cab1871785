"""Telling pairs of one image from pairs of two, with a ranking margin.

    l = -log D(positive) - log(1 - D(negative))
        + max(0, margin + s(negative) - s(positive)),   D = sigmoid(s)

The first source's supervised loss: there log D stands with the wrong sign,
and the ranking term between labels that are not explained; s is here the
discriminator's score of a pair, before its sigmoid.
"""

import keras
from keras import ops

from keras_contrastive.losses.cosine import raised
from keras_contrastive.losses.tensors import as_tensor
from keras_contrastive.losses.triplet import check_margin


def pair_discrimination(positive_scores, negative_scores, margin=1.0):
    """Discrimination of pairs: cross-entropy and a ranking margin.

    `-log D(p) - log(1 - D(n)) + max(0, margin + s(n) - s(p))` with `D` the
    sigmoid of the score `s`.

    Args:
        positive_scores: float tensor `(batch,)`, scores before the sigmoid
            of pairs that show the same thing.
        negative_scores: float tensor `(batch,)`, of pairs that do not.
        margin: float >= 0, by how much the scores shall differ at least; or
            None for no ranking term.

    Returns:
        Tensor `(batch,)`, one loss for each two pairs.

    Raises:
        ValueError: for a negative margin, or shapes that differ.

    Example:

    >>> zeros = np.zeros(2, "float32")
    >>> [round(float(row), 4) for row in pair_discrimination(zeros, zeros)]
    [2.3863, 2.3863]
    """
    check_margin(margin)
    positive_scores = as_tensor("positive_scores", positive_scores)
    negative_scores = as_tensor("negative_scores", negative_scores)
    shapes = tuple(positive_scores.shape), tuple(negative_scores.shape)
    if len(shapes[0]) != 1 or shapes[0] != shapes[1]:
        raise ValueError(
            "`positive_scores` and `negative_scores` must both have the "
            f"shape (batch,), received {shapes[0]} and {shapes[1]}."
        )
    positive, negative = raised(positive_scores), raised(negative_scores)
    # -log sigmoid(s) = softplus(-s), which never overflows.
    rows = ops.softplus(-positive) + ops.softplus(negative)
    if margin is None:
        return rows
    return rows + ops.relu(margin + negative - positive)


@keras.saving.register_keras_serializable(package="keras_contrastive")
class PairDiscrimination(keras.losses.Loss):
    """Discrimination of pairs for Keras: `loss(negatives, positives)`.

    Both are scores `(batch,)` before the sigmoid.

    Args:
        margin: float >= 0, or None for no ranking term.
        reduction: how rows become a value, as in any Keras loss.
        name: name of the loss.
        dtype: dtype of the computation, float32 by default.

    Raises:
        ValueError: for a negative margin.

    Example:

    >>> loss = PairDiscrimination(margin=None)
    >>> round(float(loss(np.zeros(2), np.zeros(2))), 4)
    1.3863
    """

    def __init__(
        self,
        margin=1.0,
        reduction="sum_over_batch_size",
        name="pair_discrimination",
        dtype=None,
    ):
        check_margin(margin)
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.margin = margin

    def call(self, negative_scores, positive_scores):
        return pair_discrimination(
            ops.reshape(positive_scores, (-1,)),
            ops.reshape(negative_scores, (-1,)),
            self.margin,
        )

    def get_config(self):
        return {**super().get_config(), "margin": self.margin}
