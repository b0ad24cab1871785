"""The squared distance of pairs: the contrastive loss of the first source.

    l = ||z_1 - z_2||^2

By itself it is least where all embeddings are one point, so it goes with a
loss that keeps them apart. On unit vectors it is 2 - 2 cos(z_1, z_2).
"""

import keras

from keras_contrastive.losses.distances import distances
from keras_contrastive.losses.pairs import as_pairs


def pair_distance(embeddings_1, embeddings_2):
    """Squared Euclidean distance of pairs that shall be alike.

    Args:
        embeddings_1: float tensor `(batch, dim)`.
        embeddings_2: float tensor `(batch, dim)`.

    Returns:
        Tensor `(batch,)`, `||z_1 - z_2||^2` of each pair.

    Raises:
        ValueError: if the shapes differ.

    Example:

    >>> zeros, ones = np.zeros((2, 4), "float32"), np.ones((2, 4), "float32")
    >>> [float(row) for row in pair_distance(zeros, ones)]
    [4.0, 4.0]
    """
    embeddings_1, embeddings_2 = as_pairs(
        "embeddings_1", embeddings_1, "embeddings_2", embeddings_2
    )
    return distances(embeddings_1, embeddings_2, "squared")


@keras.saving.register_keras_serializable(package="keras_contrastive")
class PairDistance(keras.losses.Loss):
    """The squared distance for Keras: `loss(embeddings_1, embeddings_2)`.

    Args:
        reduction: how rows become a value, as in any Keras loss.
        name: name of the loss.
        dtype: dtype of the computation, float32 by default.

    Example:

    >>> loss = PairDistance()
    >>> float(loss(np.zeros((2, 4)), np.ones((2, 4))))
    4.0
    """

    def __init__(
        self, reduction="sum_over_batch_size", name="pair_distance", dtype=None
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, embeddings_1, embeddings_2):
        return pair_distance(embeddings_1, embeddings_2)
