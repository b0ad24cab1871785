"""Uniformity: embeddings shall spread over the sphere.

    L = log mean over pairs i != j of exp(-t ||z_i - z_j||^2), on unit vectors

Reference: Wang and Isola 2020, https://arxiv.org/abs/2005.10242
"""

import keras
from keras import ops

from keras_contrastive.losses.cosine import unit_vectors
from keras_contrastive.losses.log_sum_exp import log_sum_exp_of_others
from keras_contrastive.losses.row_chunks import check_chunk_size
from keras_contrastive.losses.temperature import check_temperature
from keras_contrastive.losses.tensors import as_rows


def uniformity(embeddings, t=2.0, *, candidates=None, chunk_size=None):
    """Uniformity as a loss: the log of the mean Gaussian potential of pairs.

    `log mean_{i != j} exp(-t ||z_i - z_j||^2)` with `z` scaled to length
    one. It belongs to the batch as a whole: every row holds the same value.

    Args:
        embeddings: float tensor `(batch, dim)`, any norm.
        t: float > 0; 2 in the paper.
        candidates: float tensor `(all, dim)`, the whole batch, where these
            rows are part of a larger one; `embeddings` by default.
        chunk_size: int, rows of similarities at a time, or None for all; as
            in `losses.nt_xent`.

    Returns:
        Tensor `(batch,)`, between `-4 t` and 0; 0 for a batch of one, which
        has no pairs.

    Raises:
        ValueError: if t or the chunk size is not positive.

    Example:

    >>> embeddings = np.array([[1.0, 0.0], [-1.0, 0.0]], "float32")
    >>> [float(row) for row in uniformity(embeddings)]
    [-8.0, -8.0]

    Reference:
        Wang and Isola 2020, https://arxiv.org/abs/2005.10242
    """
    check_temperature(t, "t", "the paper uses 2")
    check_chunk_size(chunk_size)
    embeddings = as_rows("embeddings", embeddings)
    if candidates is None:
        candidates = embeddings
    vectors = unit_vectors(as_rows("candidates", candidates))
    count = ops.shape(vectors)[0]
    number = ops.cast(count, vectors.dtype)
    # ||z_i - z_j||^2 = 2 - 2 cos.
    rows, _ = log_sum_exp_of_others(
        2.0 * t * vectors,
        vectors,
        itself=ops.arange(count, dtype="int32"),
        chunk_size=chunk_size,
    )
    value = (
        ops.logsumexp(rows)
        - 2.0 * t
        - ops.log(ops.maximum(number * (number - 1.0), 1.0))
    )
    value = ops.where(number > 1, value, ops.zeros_like(value))
    return ops.broadcast_to(value, (ops.shape(embeddings)[0],))


@keras.saving.register_keras_serializable(package="keras_contrastive")
class Uniformity(keras.losses.Loss):
    """Uniformity for Keras: `loss(anything, embeddings)`.

    Args:
        t: float > 0; 2 in the paper.
        reduction: how rows become a value, as in any Keras loss.
        name: name of the loss.
        dtype: dtype of the computation, float32 by default.

    Raises:
        ValueError: if t is not positive.

    Example:

    >>> loss = Uniformity()
    >>> embeddings = np.array([[1.0, 0.0], [-1.0, 0.0]], "float32")
    >>> float(loss(np.zeros(2), embeddings))
    -8.0

    Reference:
        Wang and Isola 2020, https://arxiv.org/abs/2005.10242
    """

    def __init__(
        self,
        t=2.0,
        reduction="sum_over_batch_size",
        name="uniformity",
        dtype=None,
    ):
        check_temperature(t, "t", "the paper uses 2")
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.t = t

    def call(self, y_true, embeddings):
        return uniformity(embeddings, self.t)

    def get_config(self):
        return {**super().get_config(), "t": self.t}
