"""InfoNCE: find your key among negatives, of a queue or of the batch.

    loss_i = -log( p_i / (p_i + sum over j of exp(q_i . n_j / T)) ),
    p_i = exp(q_i . k_i / T)

with unit vectors q, k, n; n are a queue's (MoCo), or the other keys of the
batch (CPC, MoCo v3).

References: van den Oord et al. 2018, eq. 4, https://arxiv.org/abs/1807.03748
He et al. 2019, eq. 1, https://arxiv.org/abs/1911.05722
"""

import keras
from keras import ops

from keras_contrastive.losses.cosine import cosine_similarities
from keras_contrastive.losses.cosine import paired_cosines
from keras_contrastive.losses.pairs import as_pairs
from keras_contrastive.losses.positions import positions_or_all
from keras_contrastive.losses.temperature import check_temperature
from keras_contrastive.losses.tensors import as_tensor


def info_nce(
    queries,
    keys,
    negatives=None,
    temperature=0.1,
    *,
    candidates=None,
    positions=None,
):
    """InfoNCE: each query must find its key among the negatives.

    `loss_i = -log(exp(q_i.k_i / T) / (exp(q_i.k_i / T) + sum_j exp(q_i.n_j /
    T)))` with all vectors scaled to length one. Without negatives of their
    own, the queries have those of the other keys. (MoCo v3's code multiplies
    by 2 T; this does not.)

    Args:
        queries: float tensor `(batch, dim)`, any norm.
        keys: float tensor `(batch, dim)`, the queries' positives.
        negatives: float tensor `(count, dim)`, such as a queue; None for the
            other keys of the batch.
        temperature: float > 0; MoCo v1 uses 0.07, v2 and v3 0.2.
        candidates: float tensor `(all, dim)`, the keys of the whole batch,
            where these rows are part of a larger one; `keys` by default.
            Only without `negatives`.
        positions: int tensor `(batch,)`, where these rows stand among the
            candidates; `0 .. batch - 1` by default.

    Returns:
        Tensor `(batch,)`, one loss a query; float64 where the queries are,
        else float32.

    Raises:
        ValueError: if the temperature is not positive, shapes do not agree,
            or both kinds of negatives are given.

    Example:

    >>> vectors = np.eye(4, dtype="float32")
    >>> queue = -vectors[:2]
    >>> rows = info_nce(vectors, vectors, queue, temperature=0.5)
    >>> [round(float(row), 4) for row in rows]
    [0.1429, 0.1429, 0.2395, 0.2395]

    References:
        - van den Oord et al. 2018, https://arxiv.org/abs/1807.03748
        - He et al. 2019, https://arxiv.org/abs/1911.05722
    """
    check_temperature(temperature)
    similarities, positives = info_nce_similarities(
        queries, keys, negatives, candidates=candidates, positions=positions
    )
    return info_nce_rows(similarities, positives, temperature)


def info_nce_rows(similarities, positives, temperature):
    """Each query's loss, from its similarities.

    Args:
        similarities: float tensor `(batch, any)`, the positive among them.
        positives: float tensor `(batch,)`.
        temperature: float > 0.

    Returns:
        Tensor `(batch,)`.
    """
    normalizer = ops.logsumexp(similarities / temperature, axis=1)
    return normalizer - positives / temperature


def info_nce_similarities(
    queries, keys, negatives=None, *, candidates=None, positions=None
):
    """Each query's similarities with all that it is held against.

    Args:
        queries, keys, negatives, candidates, positions: as in `info_nce`.

    Returns:
        `similarities` `(batch, any)`, the positive among them, and
        `positives` `(batch,)`.

    Raises:
        ValueError: as `info_nce`.
    """
    queries, keys = as_pairs("queries", queries, "keys", keys)
    negatives, candidates = checked_negatives(queries, negatives, candidates)
    if negatives is None:
        candidates = keys if candidates is None else candidates
        positions = positions_or_all(queries, positions)
        similarities = cosine_similarities(queries, candidates)
        positives = ops.take_along_axis(
            similarities, positions[:, None], axis=1
        )
        return similarities, ops.squeeze(positives, axis=1)
    positives = paired_cosines(queries, keys)
    similarities = ops.concatenate(
        [positives[:, None], cosine_similarities(queries, negatives)], axis=1
    )
    return similarities, positives


def checked_negatives(queries, negatives, candidates):
    """Takes negatives of one kind, vectors as long as the queries.

    Args:
        queries: tensor `(batch, dim)`.
        negatives: as in `info_nce`.
        candidates: as in `info_nce`.

    Returns:
        `negatives` and `candidates`, tensors or None.

    Raises:
        ValueError: for both, or another number of columns than the queries'.
    """
    dim = queries.shape[1]
    if negatives is not None and candidates is not None:
        raise ValueError(
            "`candidates` are the keys of a larger batch, which are the "
            "negatives only where `negatives` is None; received both."
        )
    given = {"negatives": negatives, "candidates": candidates}
    for name, others in given.items():
        if others is None:
            continue
        others = given[name] = as_tensor(name, others)
        if len(others.shape) != 2 or others.shape[1] != dim:
            raise ValueError(
                f"`{name}` must have the shape (count, {dim}), as "
                f"many columns as `queries`, received {tuple(others.shape)}."
            )
    return given.values()


@keras.saving.register_keras_serializable(package="keras_contrastive")
class InfoNCE(keras.losses.Loss):
    """InfoNCE as a Keras loss: `loss(keys, queries)`.

    The negatives of a query are the other keys of the batch, or those of a
    queue: `loss((keys, queue), queries)`.

    Args:
        temperature: float > 0; MoCo v2 and v3 use 0.2.
        reduction: how rows become a value, as in any Keras loss.
        name: name of the loss.
        dtype: dtype of the computation, float32 by default.

    Call arguments:
        y_true: float tensor `(batch, dim)`, the key of each query; or a tuple
            of it and a float tensor `(count, dim)`, the negatives of all.
        y_pred: float tensor `(batch, dim)`, the queries.

    Raises:
        ValueError: if the temperature is not positive.

    Example:

    >>> loss = InfoNCE(temperature=0.5)
    >>> vectors = np.eye(4, dtype="float32")
    >>> round(float(loss(vectors, vectors)), 4)
    0.3408
    >>> queue = -vectors[:2]
    >>> round(float(loss((vectors, queue), vectors)), 4)
    0.1912

    References:
        - van den Oord et al. 2018, https://arxiv.org/abs/1807.03748
        - He et al. 2019, https://arxiv.org/abs/1911.05722
    """

    def __init__(
        self,
        temperature=0.1,
        reduction="sum_over_batch_size",
        name="info_nce",
        dtype=None,
    ):
        check_temperature(temperature)
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.temperature = temperature

    def call(self, y_true, y_pred):
        keys, *queue = y_true if isinstance(y_true, tuple) else (y_true,)
        return info_nce(y_pred, keys, *queue, temperature=self.temperature)

    def get_config(self):
        return {**super().get_config(), "temperature": self.temperature}
