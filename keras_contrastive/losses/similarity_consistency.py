"""Consistency of two views' similarities to the same others.

    P_i = softmax_j(q_i . n_j / T),    Q_i = softmax_j(k_i . n_j / T)
    l_i = KL(P_i || Q_i) / 2 + KL(Q_i || P_i) / 2

Two views of an image shall find the same negatives alike: CO2's term beside
InfoNCE, with the negatives of a queue; ReLIC's, with those of the batch.

References: Wei et al. 2020 (CO2), eq. 5, https://arxiv.org/abs/2010.02217
Mitrovic et al. 2020 (ReLIC), https://arxiv.org/abs/2010.07922
"""

import keras
from keras import ops

from keras_contrastive.losses.cosine import cosine_similarities
from keras_contrastive.losses.info_nce import checked_negatives
from keras_contrastive.losses.pairs import as_pairs
from keras_contrastive.losses.positions import positions_or_all
from keras_contrastive.losses.temperature import check_temperature
from keras_contrastive.losses.view_similarities import without


def similarity_consistency(
    queries,
    keys,
    negatives=None,
    temperature=0.05,
    *,
    candidates=None,
    positions=None,
):
    """Symmetric KL divergence between two views' similarities to others.

    `KL(P_i || Q_i) / 2 + KL(Q_i || P_i) / 2` with `P_i = softmax_j(q_i . n_j
    / T)` and `Q_i` the same of the key; the positive itself is not among the
    `n_j`. (lightly's code counts it among them.)

    Args:
        queries: float tensor `(batch, dim)`, one view of each image, any
            norm.
        keys: float tensor `(batch, dim)`, the other view.
        negatives: float tensor `(count, dim)`, such as a queue; None for the
            other keys of the batch.
        temperature: float > 0.
        candidates: float tensor `(all, dim)`, the keys of the whole batch,
            where these rows are part of a larger one; `keys` by default.
            Only without `negatives`.
        positions: int tensor `(batch,)`, where these rows stand among the
            candidates; `0 .. batch - 1` by default.

    Returns:
        Tensor `(batch,)`, in nats; 0 where both views agree.

    Raises:
        ValueError: if the temperature is not positive, shapes do not agree,
            or both kinds of negatives are given.

    Example:

    >>> vectors, queue = np.eye(4, dtype="float32"), np.ones((8, 4))
    >>> [float(row) for row in similarity_consistency(vectors, vectors, queue)]
    [0.0, 0.0, 0.0, 0.0]

    References:
        - Wei et al. 2020, https://arxiv.org/abs/2010.02217
        - Mitrovic et al. 2020, https://arxiv.org/abs/2010.07922
    """
    check_temperature(temperature)
    queries, keys = as_pairs("queries", queries, "keys", keys)
    negatives, candidates = checked_negatives(queries, negatives, candidates)
    others = negatives
    if negatives is None:
        others = keys if candidates is None else candidates
    logits = [cosine_similarities(each, others) for each in (queries, keys)]
    if negatives is None:
        myself = positions_or_all(queries, positions)
        logits = [without(each, myself) for each in logits]
    log_p, log_q = (
        ops.log_softmax(each / temperature, axis=1) for each in logits
    )
    # (KL(P || Q) + KL(Q || P)) / 2 = sum of (P - Q) (log P - log Q) / 2.
    return 0.5 * ops.sum(
        (ops.exp(log_p) - ops.exp(log_q)) * (log_p - log_q), axis=1
    )


@keras.saving.register_keras_serializable(package="keras_contrastive")
class SimilarityConsistency(keras.losses.Loss):
    """Consistency of similarities for Keras: `loss(keys, queries)`.

    The others to which views are compared are the other keys of the batch.

    Args:
        temperature: float > 0.
        reduction: how rows become a value, as in any Keras loss.
        name: name of the loss.
        dtype: dtype of the computation, float32 by default.

    Raises:
        ValueError: if the temperature is not positive.

    Example:

    >>> loss, vectors = SimilarityConsistency(), np.eye(4, dtype="float32")
    >>> float(loss(vectors, vectors))
    0.0

    Reference:
        Mitrovic et al. 2020, https://arxiv.org/abs/2010.07922
    """

    def __init__(
        self,
        temperature=0.05,
        reduction="sum_over_batch_size",
        name="similarity_consistency",
        dtype=None,
    ):
        check_temperature(temperature)
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.temperature = temperature

    def call(self, keys, queries):
        return similarity_consistency(
            queries, keys, temperature=self.temperature
        )

    def get_config(self):
        return {**super().get_config(), "temperature": self.temperature}
