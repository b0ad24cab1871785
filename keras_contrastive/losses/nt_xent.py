"""NT-Xent, the loss of SimCLR: find your partner among all other views.

    loss_i = -log( exp(s_ip / T) / sum over j != i of exp(s_ij / T) )

where s is the cosine similarity of two projections, p the other view of i's
image, T the temperature, and j runs over all 2N views of the batch but i.

Reference: Chen et al. 2020, eq. 1, https://arxiv.org/abs/2002.05709
"""

import keras
from keras import ops

from keras_contrastive.losses.cosine import cosine_similarities


def nt_xent(
    view_1,
    view_2,
    temperature=0.5,
    *,
    candidates_1=None,
    candidates_2=None,
    positions=None,
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

    Returns:
        Tensor `(2 * batch,)`, one loss a row, rows of view 1 first; float64
        where the views are, else float32.

    Raises:
        ValueError: if the temperature is not positive, or the shapes of the
            views or of the candidates do not agree.

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
    _check_shapes("view_1", view_1, "view_2", view_2)
    candidates_1 = view_1 if candidates_1 is None else candidates_1
    candidates_2 = view_2 if candidates_2 is None else candidates_2
    _check_shapes("candidates_1", candidates_1, "candidates_2", candidates_2)
    similarities, positives = masked_similarities(
        view_1, view_2, candidates_1, candidates_2, positions
    )
    return (
        ops.logsumexp(similarities / temperature, axis=1)
        - positives / temperature
    )


def masked_similarities(view_1, view_2, candidates_1, candidates_2, positions):
    """Each view's similarity with all others, and with its partner.

    Args:
        view_1, view_2: float tensors `(batch, dim)`.
        candidates_1, candidates_2: float tensors `(all, dim)`.
        positions: int tensor `(batch,)` or None, as in `nt_xent`.

    Returns:
        `similarities` `(2 * batch, 2 * all)`, a view's similarity with
        itself replaced by a number that no other can be below, and
        `positives` `(2 * batch,)`.
    """
    similarities = cosine_similarities(
        ops.concatenate([view_1, view_2]),
        ops.concatenate([candidates_1, candidates_2]),
    )
    if positions is None:
        positions = ops.arange(ops.shape(view_1)[0])
    positions = ops.cast(positions, "int32")
    count = ops.shape(candidates_1)[0]
    myself = ops.concatenate([positions, positions + count])
    partner = ops.concatenate([positions + count, positions])
    positives = ops.squeeze(
        ops.take_along_axis(similarities, partner[:, None], axis=1), axis=1
    )
    is_myself = ops.arange(2 * count, dtype="int32")[None] == myself[:, None]
    # Far below any similarity, yet finite once divided by a temperature:
    # infinity would turn into NaN in the gradient of a row without others.
    return ops.where(is_myself, -1e6, similarities), positives


def check_temperature(temperature):
    """Refuses a temperature that is a number and not positive.

    Args:
        temperature: a number, or a tensor, whose value cannot be known.

    Raises:
        ValueError: if it is zero, negative or not a number.
    """
    if isinstance(temperature, (int, float)) and not temperature > 0:
        raise ValueError(
            f"`temperature` must be positive, received {temperature}; SimCLR "
            "uses 0.5 on CIFAR-10."
        )


def _check_shapes(name_1, view_1, name_2, view_2):
    shapes = tuple(view_1.shape), tuple(view_2.shape)
    if len(shapes[0]) != 2 or shapes[0] != shapes[1]:
        raise ValueError(
            f"`{name_1}` and `{name_2}` must both have the shape "
            f"(batch, dim), received {shapes[0]} and {shapes[1]}; give two "
            "views of the same images, one row an image."
        )


@keras.saving.register_keras_serializable(package="keras_contrastive")
class NTXent(keras.losses.Loss):
    """NT-Xent as a Keras loss: `loss(view_1, view_2)`.

    Its value for a batch is the mean over the 2N rows of `nt_xent`.

    Args:
        temperature: float > 0, the paper's T; 0.5 suits CIFAR-10.
        reduction: how rows become a value, as in any Keras loss.
        name: name of the loss.
        dtype: dtype of the computation, float32 by default.

    Raises:
        ValueError: if the temperature is not positive.

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
        reduction="sum_over_batch_size",
        name="nt_xent",
        dtype=None,
    ):
        check_temperature(temperature)
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.temperature = temperature

    def call(self, view_1, view_2):
        return nt_xent(view_1, view_2, self.temperature)

    def get_config(self):
        return {**super().get_config(), "temperature": self.temperature}
