"""Negatives that are learned, to be as hard as can be.

    gradient_j = 1 / (N T) sum over i of p_ij (q_i - (q_i . n_j) n_j)
    p_ij = exp(q_i . n_j / T) / (exp(q_i . k_i / T) + sum_l exp(q_i . n_l / T))
    velocity_j <- momentum velocity_j + gradient_j
    n_j <- n_j + rate velocity_j, then scaled to length one

with unit vectors q (queries), k (keys) and n (negatives): the gradient of
the mean InfoNCE loss, which a negative climbs on the sphere, towards the
queries that find it hardest to tell from their keys.

That works near the queries only: at T = 0.02 a random direction has a weight
p of about e^-40, and stays where it is. So the negatives begin as keys, those
of the first batches.

Reference: Hu et al. 2021, https://arxiv.org/abs/2011.08435
"""

import numbers

import keras
from keras import ops

from keras_contrastive.distribution import replicas
from keras_contrastive.losses.cosine import unit_vectors
from keras_contrastive.losses.info_nce import info_nce_similarities
from keras_contrastive.losses.temperature import check_temperature
from keras_contrastive.models.queue import random_unit_vectors
from keras_contrastive.models.queue import write_around


@keras.saving.register_keras_serializable(package="keras_contrastive")
class AdversarialNegatives(keras.layers.Layer):
    """Unit vectors that climb the loss of those who must avoid them.

    They are float32, and saved with the model that holds them. Random at the
    start, they are replaced by the keys of the first steps; when all are,
    they begin to climb.

    Args:
        negatives: int, how many vectors.
        dim: int, their dimension.
        negative_learning_rate: float >= 0, the rate of the ascent.
        negative_momentum: float in [0, 1), how much of the velocity stays.
        negative_temperature: float > 0, T of the loss that they climb.
        seed: int, of the random vectors of the start.
        **kwargs: what else keras.layers.Layer takes.

    Attributes:
        vectors: variable `(negatives, dim)`.
        velocity: variable `(negatives, dim)`.
        filled: int32 variable, how many are keys by now.

    Raises:
        ValueError: for an argument out of range.

    Reference:
        Hu et al. 2021, https://arxiv.org/abs/2011.08435
    """

    def __init__(
        self,
        negatives,
        dim,
        negative_learning_rate=3.0,
        negative_momentum=0.9,
        negative_temperature=0.02,
        seed=0,
        **kwargs,
    ):
        super().__init__(**{"dtype": "float32", **kwargs})
        _check_numbers(negatives, negative_learning_rate, negative_momentum)
        check_temperature(
            negative_temperature, "negative_temperature", "AdCo uses 0.02"
        )
        self.negatives = negatives
        self.dim = dim
        self.negative_learning_rate = negative_learning_rate
        self.negative_momentum = negative_momentum
        self.negative_temperature = negative_temperature
        self.seed = seed
        shape = {"shape": (negatives, dim), "trainable": False}
        self.vectors = self.add_weight(
            name="vectors", initializer=random_unit_vectors(seed), **shape
        )
        self.velocity = self.add_weight(
            name="velocity", initializer="zeros", **shape
        )
        self.filled = self.add_weight(
            name="filled",
            shape=(),
            dtype="int32",
            initializer="zeros",
            trainable=False,
        )
        self.built = True

    def gradient(self, queries, keys):
        """The gradient of the mean loss with respect to the negatives.

        The mean is over the queries of all replicas.

        Args:
            queries: float tensor `(batch, dim)`, any norm.
            keys: float tensor `(batch, dim)`, the queries' positives.

        Returns:
            float32 tensor `(negatives, dim)`, orthogonal to each negative.
        """
        vectors = ops.convert_to_tensor(self.vectors)
        queries = ops.cast(unit_vectors(queries), "float32")
        similarities, _ = info_nce_similarities(queries, keys, vectors)
        weights = ops.softmax(similarities / self.negative_temperature, axis=1)
        # The first column is the key's.
        similarities, weights = similarities[:, 1:], weights[:, 1:]
        towards = ops.matmul(ops.transpose(weights), queries)
        outwards = ops.sum(weights * similarities, axis=0)[:, None] * vectors
        count = ops.cast(ops.shape(queries)[0] * replicas.count(), "float32")
        share = (towards - outwards) / (self.negative_temperature * count)
        return replicas.all_sum(share)

    def update(self, queries, keys, all_keys=None):
        """Takes the keys while there are places left; from then on, climbs.

        Args:
            queries: float tensor `(batch, dim)`, any norm.
            keys: float tensor `(batch, dim)`, the queries' positives.
            all_keys: float tensor `(all, dim)`, those of all replicas; `keys`
                by default.
        """
        queries, keys = ops.stop_gradient(queries), ops.stop_gradient(keys)
        all_keys = keys if all_keys is None else ops.stop_gradient(all_keys)
        velocity = self.negative_momentum * self.velocity
        velocity = velocity + self.gradient(queries, keys)
        climbed = self.vectors + self.negative_learning_rate * velocity
        keys = ops.cast(unit_vectors(all_keys), "float32")
        filled = self.filled + ops.shape(keys)[0]
        keys = keys[-self.negatives :]
        taken = write_around(self.vectors, self.filled, keys)
        full = self.filled >= self.negatives
        self.velocity.assign(ops.where(full, velocity, 0.0))
        self.vectors.assign(ops.where(full, unit_vectors(climbed), taken))
        self.filled.assign(ops.minimum(filled, self.negatives))

    def get_config(self):
        return {
            **super().get_config(),
            "negatives": self.negatives,
            "dim": self.dim,
            "negative_learning_rate": self.negative_learning_rate,
            "negative_momentum": self.negative_momentum,
            "negative_temperature": self.negative_temperature,
            "seed": self.seed,
        }


def _check_numbers(negatives, learning_rate, momentum):
    if not isinstance(negatives, numbers.Integral) or negatives < 1:
        raise ValueError(
            "`negatives` must be a whole number of at least 1, received "
            f"{negatives!r}; AdCo uses 65536 on ImageNet."
        )
    if not learning_rate >= 0:
        raise ValueError(
            "`negative_learning_rate` must not be negative, received "
            f"{learning_rate}; AdCo uses 3."
        )
    if not 0 <= momentum < 1:
        raise ValueError(
            "`negative_momentum` must be at least 0 and below 1, received "
            f"{momentum}; AdCo uses 0.9."
        )
