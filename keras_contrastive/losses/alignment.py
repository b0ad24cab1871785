"""Alignment: two views of an image shall be near each other on the sphere.

    l_i = ||z_1 - z_2||^alpha, on unit vectors

Reference: Wang and Isola 2020, https://arxiv.org/abs/2005.10242
"""

import keras
from keras import ops

from keras_contrastive.losses.cosine import unit_vectors
from keras_contrastive.losses.distances import distances
from keras_contrastive.losses.pairs import as_pairs


def alignment(view_1, view_2, alpha=2.0):
    """Alignment as a loss: distance of two views on the unit sphere.

    `||z_1 - z_2||^alpha` with `z` scaled to length one.

    Args:
        view_1: float tensor `(batch, dim)`, any norm.
        view_2: float tensor `(batch, dim)`, any norm.
        alpha: float >= 1, the power; 2 in the paper.

    Returns:
        Tensor `(batch,)`.

    Raises:
        ValueError: if the shapes differ, or alpha is below 1.

    Example:

    >>> first, second = np.eye(2, dtype="float32")
    >>> round(float(alignment(first[None], second[None])[0]), 4)
    2.0

    Reference:
        Wang and Isola 2020, https://arxiv.org/abs/2005.10242
    """
    _check_alpha(alpha)
    view_1, view_2 = as_pairs("view_1", view_1, "view_2", view_2)
    first, second = unit_vectors(view_1), unit_vectors(view_2)
    if alpha == 2:
        return distances(first, second, "squared")
    return ops.power(distances(first, second, "euclidean"), alpha)


def _check_alpha(alpha):
    if not alpha >= 1:
        raise ValueError(
            f"`alpha` must be at least 1, received {alpha}; the paper uses 2."
        )


@keras.saving.register_keras_serializable(package="keras_contrastive")
class Alignment(keras.losses.Loss):
    """Alignment for Keras: `loss(view_1, view_2)`.

    Args:
        alpha: float >= 1, the power; 2 in the paper.
        reduction: how rows become a value, as in any Keras loss.
        name: name of the loss.
        dtype: dtype of the computation, float32 by default.

    Raises:
        ValueError: if alpha is below 1.

    Example:

    >>> loss, view = Alignment(), np.eye(4, dtype="float32")
    >>> float(loss(view, view))
    0.0

    Reference:
        Wang and Isola 2020, https://arxiv.org/abs/2005.10242
    """

    def __init__(
        self,
        alpha=2.0,
        reduction="sum_over_batch_size",
        name="alignment",
        dtype=None,
    ):
        _check_alpha(alpha)
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.alpha = alpha

    def call(self, view_1, view_2):
        return alignment(view_1, view_2, self.alpha)

    def get_config(self):
        return {**super().get_config(), "alpha": self.alpha}
