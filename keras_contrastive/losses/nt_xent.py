"""NT-Xent, the loss of SimCLR: find your partner among all other views.

    loss_i = -log( exp(s_ip / T) / sum over j != i of exp(s_ij / T) )

where s is the cosine similarity of two projections, p the other view of i's
image, T the temperature, and j runs over all 2N views of the batch but i.

Reference: Chen et al. 2020, eq. 1, https://arxiv.org/abs/2002.05709
"""

import keras
from keras import ops

from keras_contrastive.losses.log_sum_exp import log_sum_exp_of_others
from keras_contrastive.losses.row_chunks import check_chunk_size
from keras_contrastive.losses.temperature import check_temperature
from keras_contrastive.losses.view_similarities import anchors_and_candidates


def nt_xent(
    view_1,
    view_2,
    temperature=0.5,
    *,
    candidates_1=None,
    candidates_2=None,
    positions=None,
    chunk_size=None,
    with_ranks=False,
):
    """NT-Xent: each view must find its partner among all other views.

    `loss_i = -log(exp(s_ip / T) / sum_{j != i} exp(s_ij / T))`, with `s` the
    cosine similarity. The mean over the rows is the paper's loss. (The
    authors' TensorFlow code adds the two directions up instead, and returns
    twice that.)

    With candidates, the rows are part of a larger batch: a chunk of it, or
    one replica's share. The rows of all parts together are those of the
    whole.

    Args:
        view_1: float tensor `(batch, dim)`, one view of each image, any norm.
        view_2: float tensor `(batch, dim)`, the other view of each image.
        temperature: float > 0, the paper's T; 0.5 suits CIFAR-10.
        candidates_1: float tensor `(all, dim)`, the first views of the whole
            batch; `view_1` by default.
        candidates_2: float tensor `(all, dim)`, the second views of the whole
            batch; `view_2` by default.
        positions: int tensor `(batch,)`, where these rows stand among the
            candidates; `0 .. batch - 1` by default.
        chunk_size: int, how many of the `2 * batch` rows of similarities
            there are at a time, or None for all of them. In chunks the
            memory is that of `chunk_size` rows instead of the whole matrix,
            forward and backward; loss and gradient are the same, and the
            similarities are calculated twice.
        with_ranks: bool, whether to return the ranks of the partners too.

    Returns:
        Tensor `(2 * batch,)`, one loss a row, rows of view 1 first; float64
        where the views are, else float32. And, if asked for, how many of the
        other views are nearer to each row than its partner, `(2 * batch,)`.

    Raises:
        ValueError: if the temperature or the chunk size is not positive, or
            the shapes of the views or of the candidates do not agree.

    Example:

    >>> view_1 = np.random.normal(size=(8, 16)).astype("float32")
    >>> view_2 = np.random.normal(size=(8, 16)).astype("float32")
    >>> rows = nt_xent(view_1, view_2, temperature=0.5)
    >>> tuple(rows.shape)
    (16,)

    Reference:
        Chen et al. 2020, eq. 1, https://arxiv.org/abs/2002.05709
    """
    check_temperature(temperature)
    check_chunk_size(chunk_size)
    anchors, candidates, itself, partners = anchors_and_candidates(
        view_1, view_2, candidates_1, candidates_2, positions
    )
    anchors = anchors / temperature
    positives = ops.sum(
        anchors * ops.take(candidates, partners, axis=0), axis=1
    )
    log_sum_exp, ranks = log_sum_exp_of_others(
        anchors,
        candidates,
        itself,
        partners if with_ranks else None,
        chunk_size,
    )
    rows = log_sum_exp - positives
    return (rows, ranks) if with_ranks else rows


@keras.saving.register_keras_serializable(package="keras_contrastive")
class NTXent(keras.losses.Loss):
    """NT-Xent as a Keras loss: `loss(view_1, view_2)`.

    Its value for a batch is the mean over the 2N rows of `nt_xent`.

    Args:
        temperature: float > 0, the paper's T; 0.5 suits CIFAR-10.
        chunk_size: int, rows of similarities at a time, or None for all; as
            in `losses.nt_xent`.
        reduction: how rows become a value, as in any Keras loss.
        name: name of the loss.
        dtype: dtype of the computation, float32 by default.

    Raises:
        ValueError: if the temperature or the chunk size is not positive.

    Example:

    >>> loss = NTXent(temperature=0.5)
    >>> view = np.eye(4, dtype="float32")
    >>> round(float(loss(view, view)), 4)
    0.5944

    Reference:
        Chen et al. 2020, eq. 1, https://arxiv.org/abs/2002.05709
    """

    def __init__(
        self,
        temperature=0.5,
        chunk_size=None,
        reduction="sum_over_batch_size",
        name="nt_xent",
        dtype=None,
    ):
        check_temperature(temperature)
        check_chunk_size(chunk_size)
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.temperature = temperature
        self.chunk_size = chunk_size

    def call(self, view_1, view_2):
        return nt_xent(
            view_1, view_2, self.temperature, chunk_size=self.chunk_size
        )

    def get_config(self):
        config = {
            "temperature": self.temperature,
            "chunk_size": self.chunk_size,
        }
        return {**super().get_config(), **config}
