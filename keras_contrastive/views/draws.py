"""The random numbers of one transformation, for one view of each image."""

import math

from keras import ops

from keras_contrastive.views import hash

# Where the draws for every value of an image begin: behind all that a
# transformation may want once for an image.
_FIRST_VALUE = 2**16


class Draws:
    """Random numbers that are a function of their place alone.

    Args:
        **place: seed, step, positions, view and stream, as for `hash.bits`.
    """

    def __init__(self, **place):
        self._place = place

    def per_image(self, count):
        """Draws numbers for each image: always the same ones.

        Args:
            count: int.

        Returns:
            float32 `(batch, count)`, uniform over [0, 1).
        """
        numbers = hash.uniform(count, **self._place)
        # Changes nothing, but XLA does not copy a gather into all that uses
        # it, as it does with the hash: less to compile, and less to compute.
        return ops.take(numbers, ops.arange(count, dtype="int32"), axis=1)

    def per_value(self, shape):
        """Draws a number for each value of each image: always the same ones.

        Args:
            shape: tuple of ints, height, width and channels.

        Returns:
            float32 `(batch, *shape)`, uniform over [0, 1).
        """
        count = math.prod(shape)
        numbers = hash.uniform(count, first=_FIRST_VALUE, **self._place)
        return ops.reshape(numbers, (-1, *shape))
