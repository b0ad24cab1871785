"""InfoNCE with the bilinear score of CPC: find what you predicted.

    loss_i = -log( exp(z_i . p_i) / sum over j of exp(z_j . p_i) ),
    p_i = W c_i

so the score of a context c and a feature z is z^T W c, without scaling to
length one and without temperature.

Reference: van den Oord et al. 2018, eq. 3 and 4,
https://arxiv.org/abs/1807.03748
"""

import keras
from keras import ops

from keras_contrastive.losses.cosine import raised
from keras_contrastive.losses.pairs import as_pairs
from keras_contrastive.losses.positions import positions_or_all
from keras_contrastive.losses.tensors import as_tensor


def bilinear_info_nce(predictions, targets, *, candidates=None, positions=None):
    """CPC's InfoNCE: each prediction must find its target.

    `loss_i = -log(exp(z_i.p_i) / sum_j exp(z_j.p_i))` with `p_i = W c_i` the
    prediction from a context `c_i`, and `z` the targets; the map `W` is the
    model's. With N candidates, `ln N - loss` is on average a lower bound of
    the mutual information of context and target, in nats, where the other
    candidates are drawn at random; it is never above `ln N`.

    Args:
        predictions: float tensor `(batch, dim)`, `W c`.
        targets: float tensor `(batch, dim)`, what the predictions are of.
        candidates: float tensor `(all, dim)`, among which a prediction must
            find its target, which is one of them; `targets` by default.
        positions: int tensor `(batch,)`, where the targets stand among the
            candidates; `0 .. batch - 1` by default.

    Returns:
        Tensor `(batch,)`, one loss a prediction; float64 where the
        predictions are, else float32.

    Raises:
        ValueError: if shapes do not agree.

    Example:

    >>> rows = bilinear_info_nce(np.zeros((4, 3)), np.ones((4, 3)))
    >>> [round(float(row), 4) for row in rows]  # ln 4: no idea
    [1.3863, 1.3863, 1.3863, 1.3863]

    Reference:
        van den Oord et al. 2018, https://arxiv.org/abs/1807.03748
    """
    return rows_of_scores(
        *bilinear_scores(
            predictions, targets, candidates=candidates, positions=positions
        )
    )


def bilinear_scores(predictions, targets, *, candidates=None, positions=None):
    """Each prediction's scores with all candidates, and with its target.

    Args:
        predictions, targets, candidates, positions: as in
            `bilinear_info_nce`.

    Returns:
        `scores` `(batch, all)`, the target's among them, and `positives`
        `(batch,)`.

    Raises:
        ValueError: as `bilinear_info_nce`.
    """
    predictions, targets = as_pairs(
        "predictions", predictions, "targets", targets
    )
    candidates = targets if candidates is None else candidates
    candidates = as_tensor("candidates", candidates)
    dim = predictions.shape[1]
    if len(candidates.shape) != 2 or candidates.shape[1] != dim:
        raise ValueError(
            f"`candidates` must have the shape (all, {dim}), as many columns "
            f"as `predictions`, received {tuple(candidates.shape)}."
        )
    scores = ops.matmul(raised(predictions), ops.transpose(raised(candidates)))
    positions = positions_or_all(predictions, positions)
    positives = ops.take_along_axis(scores, positions[:, None], axis=1)
    return scores, ops.squeeze(positives, axis=1)


def rows_of_scores(scores, positives):
    """The negative log softmax weight of each positive among its scores.

    Args:
        scores: float tensor `(batch, all)`, the positive's among them.
        positives: float tensor `(batch,)`.

    Returns:
        Tensor `(batch,)`.
    """
    return ops.logsumexp(scores, axis=1) - positives


@keras.saving.register_keras_serializable(package="keras_contrastive")
class BilinearInfoNCE(keras.losses.Loss):
    """CPC's InfoNCE as a Keras loss: `loss(targets, predictions)`.

    The candidates of a prediction are the targets of the batch.

    Args:
        reduction: how rows become a value, as in any Keras loss.
        name: name of the loss.
        dtype: dtype of the computation, float32 by default.

    Example:

    >>> loss = BilinearInfoNCE()
    >>> vectors = np.eye(4, dtype="float32")
    >>> round(float(loss(vectors, vectors)), 4)  # ln(1 + 3 / e)
    0.7437

    Reference:
        van den Oord et al. 2018, https://arxiv.org/abs/1807.03748
    """

    def __init__(
        self,
        reduction="sum_over_batch_size",
        name="bilinear_info_nce",
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, targets, predictions):
        return bilinear_info_nce(predictions, targets)
