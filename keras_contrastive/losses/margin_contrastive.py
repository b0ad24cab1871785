"""The margin loss of pairs: alike ones together, others a margin apart.

    l = same d^2 / 2 + (1 - same) max(0, margin - d)^2 / 2,
    d = ||e_1 - e_2||

Reference: Hadsell, Chopra and LeCun 2006, eq. 4,
http://yann.lecun.com/exdb/publis/pdf/hadsell-chopra-lecun-06.pdf
"""

import keras
import numpy as np
from keras import ops

from keras_contrastive.losses.distances import distances
from keras_contrastive.losses.pairs import as_pairs
from keras_contrastive.losses.tensors import as_tensor
from keras_contrastive.losses.triplet import check_margin


def margin_contrastive(same, embeddings_1, embeddings_2, margin=1.0):
    """Hadsell's margin loss of pairs.

    `same d^2 / 2 + (1 - same) max(0, margin - d)^2 / 2` with the Euclidean
    distance `d`. (The paper's Y is 0 for pairs that are alike; here `same`
    is 1. Many codes leave out the halves.)

    Args:
        same: bool, int or float tensor `(batch,)`, 1 for pairs that show the
            same thing, 0 for others; or a number for all pairs. Values are
            checked in lists and NumPy arrays only.
        embeddings_1: float tensor `(batch, dim)`.
        embeddings_2: float tensor `(batch, dim)`.
        margin: float >= 0, the distance beyond which pairs that are not
            alike are left in peace.

    Returns:
        Tensor `(batch,)`, one loss a pair.

    Raises:
        ValueError: for a negative margin, shapes that do not agree, or
            `same` out of range.

    Example:

    >>> zeros, ones = np.zeros((2, 4), "float32"), np.ones((2, 4), "float32")
    >>> [float(row) for row in margin_contrastive([1, 0], zeros, ones, 3.0)]
    [2.0, 0.5]

    Reference:
        Hadsell, Chopra and LeCun 2006,
        http://yann.lecun.com/exdb/publis/pdf/hadsell-chopra-lecun-06.pdf
    """
    _check_margin(margin)
    embeddings_1, embeddings_2 = as_pairs(
        "embeddings_1", embeddings_1, "embeddings_2", embeddings_2
    )
    _check_same(same, embeddings_1.shape[0])
    apart = distances(embeddings_1, embeddings_2, "euclidean")
    same = ops.convert_to_tensor(same, dtype=apart.dtype)
    same = ops.reshape(same, (-1,))
    # Squared by itself: the square of a root has no gradient at zero.
    squared = distances(embeddings_1, embeddings_2, "squared")
    alike = 0.5 * squared
    different = 0.5 * ops.square(ops.relu(margin - apart))
    return same * alike + (1.0 - same) * different


def _check_same(same, count):
    if not isinstance(same, (list, tuple, np.ndarray)):
        return
    same = np.asarray(same)
    if same.ndim and same.size != count:
        raise ValueError(
            "`same` must have one value for each pair, received "
            f"{same.size} for {count} pairs."
        )
    # Written so that NaN is refused as well.
    if not ((same >= 0) & (same <= 1)).all():
        raise ValueError(
            "`same` must be 1 for pairs that show the same thing and 0 for "
            f"others, received values from {same.min()} to {same.max()}."
        )


def _check_margin(margin):
    if margin is None:
        raise ValueError(
            "`margin` must be a number of at least zero, received None; 1 "
            "suits embeddings of length one."
        )
    check_margin(margin)


@keras.saving.register_keras_serializable(package="keras_contrastive")
class MarginContrastive(keras.losses.Loss):
    """Hadsell's margin loss for Keras: `loss(same, pairs)`.

    Args:
        margin: float >= 0.
        reduction: how rows become a value, as in any Keras loss.
        name: name of the loss.
        dtype: dtype of the computation, float32 by default.

    Call arguments:
        y_true: `(batch,)`, 1 for pairs that show the same thing, else 0.
        y_pred: float tensor `(batch, 2, dim)`, the embeddings of the pairs.

    Raises:
        ValueError: for a negative margin.

    Example:

    >>> loss = MarginContrastive(margin=1.0)
    >>> float(loss(np.array([0, 0]), np.zeros((2, 2, 4), "float32")))
    0.5

    Reference:
        Hadsell, Chopra and LeCun 2006,
        http://yann.lecun.com/exdb/publis/pdf/hadsell-chopra-lecun-06.pdf
    """

    def __init__(
        self,
        margin=1.0,
        reduction="sum_over_batch_size",
        name="margin_contrastive",
        dtype=None,
    ):
        _check_margin(margin)
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.margin = margin

    def call(self, y_true, y_pred):
        y_true = as_tensor("y_true", y_true)
        y_pred = as_tensor("y_pred", y_pred)
        return margin_contrastive(
            y_true, y_pred[:, 0], y_pred[:, 1], self.margin
        )

    def get_config(self):
        return {**super().get_config(), "margin": self.margin}
