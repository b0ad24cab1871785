"""A queue of keys: negatives that are older than the batch."""

import numbers

import keras
from keras import ops

from keras_contrastive.losses.cosine import unit_vectors


@keras.saving.register_keras_serializable(package="keras_contrastive")
class Queue(keras.layers.Layer):
    """The latest keys, first in, first out, of any size.

    Vectors are float32 and of length one, from the random ones of the start
    on. All of it is saved with the model that holds it.

    Args:
        size: int, how many keys it holds.
        dim: int, their dimension.
        seed: int, of the random vectors of the start.
        **kwargs: what else keras.layers.Layer takes.

    Attributes:
        vectors: variable `(size, dim)`.
        written: int32 variable `(size,)`, the step at which each was written.
        position: int32 variable, where the next key goes.

    Reference:
        He et al. 2019, section 3.2, https://arxiv.org/abs/1911.05722
    """

    def __init__(self, size, dim, seed=0, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        check_size("size", size)
        self.size = size
        self.dim = dim
        self.seed = seed
        self.vectors = self.add_weight(
            name="vectors",
            shape=(size, dim),
            initializer=random_unit_vectors(seed),
            trainable=False,
        )
        integer = {"dtype": "int32", "initializer": "zeros", "trainable": False}
        self.written = self.add_weight(name="written", shape=(size,), **integer)
        self.position = self.add_weight(name="position", shape=(), **integer)
        self.built = True

    def enqueue(self, keys, step):
        """Writes keys over the oldest ones, around the end.

        Args:
            keys: float tensor `(count, dim)`, any norm.
            step: int32 scalar tensor, the training step.
        """
        # Of more keys than there are places, the latest.
        keys = keys[-self.size :]
        count = ops.shape(keys)[0]
        keys = ops.cast(unit_vectors(ops.stop_gradient(keys)), "float32")
        self.vectors.assign(write_around(self.vectors, self.position, keys))
        steps = ops.broadcast_to(ops.cast(step, "int32"), (count,))
        self.written.assign(write_around(self.written, self.position, steps))
        self.position.assign((self.position + count) % self.size)

    def age(self, step):
        """Mean age of the keys, in steps.

        Args:
            step: int32 scalar tensor, the training step.

        Returns:
            float32 scalar tensor.
        """
        return ops.mean(ops.cast(step - self.written, "float32"))

    def get_config(self):
        return {
            **super().get_config(),
            "size": self.size,
            "dim": self.dim,
            "seed": self.seed,
        }


def check_size(name, size):
    """Refuses a queue without places.

    Args:
        name: str, what the caller calls it.
        size: int.

    Raises:
        ValueError: if it is less than 1, or no whole number.
    """
    if not isinstance(size, numbers.Integral) or size < 1:
        raise ValueError(
            f"`{name}` must be a whole number of at least 1, received "
            f"{size!r}; MoCo uses 65536 on ImageNet and 4096 on CIFAR-10."
        )


def write_around(values, position, rows):
    """Writes rows over those from a position on, around the end.

    Args:
        values: tensor `(size, ...)`.
        position: int32 scalar tensor, where the first row goes.
        rows: tensor `(count, ...)`, at most `size` of them.

    Returns:
        Tensor `(size, ...)`.
    """
    places = position + ops.arange(ops.shape(rows)[0], dtype="int32")
    places = (places % values.shape[0])[:, None]
    return ops.scatter_update(values, places, rows)


def random_unit_vectors(seed):
    """An initializer: random directions, all alike.

    Args:
        seed: int.

    Returns:
        Function of a shape and a dtype, as `add_weight` takes it.
    """
    normal = keras.initializers.RandomNormal(seed=seed)
    return lambda shape, dtype: unit_vectors(normal(shape, dtype))
