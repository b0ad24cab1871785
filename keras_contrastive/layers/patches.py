"""Images cut into overlapping square patches on a grid.

    patch (r, c) = image[r s : r s + p, c s : c s + p],   size p, stride s

Reference: van den Oord et al. 2018, section 3.3,
https://arxiv.org/abs/1807.03748
"""

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="keras_contrastive")
class Patches(keras.layers.Layer):
    """Cuts each image into a grid of square patches.

    The first patch begins at the upper left pixel. Pixels at the right and
    at the bottom that no whole patch reaches are left out.

    Args:
        size: int, height and width of a patch in pixels.
        stride: int, pixels from one patch to the next; half the size by
            default, so that neighbours overlap by half.
        **kwargs: as in keras.layers.Layer.

    Raises:
        ValueError: if a number is not positive, and when called, if a patch
            is larger than the image.

    Example:

    >>> images = np.zeros((2, 32, 32, 3), "float32")
    >>> tuple(Patches(16)(images).shape)
    (2, 3, 3, 16, 16, 3)

    Reference:
        van den Oord et al. 2018, https://arxiv.org/abs/1807.03748
    """

    def __init__(self, size, stride=None, **kwargs):
        super().__init__(**kwargs)
        stride = (size + 1) // 2 if stride is None else stride
        for name, value in (("size", size), ("stride", stride)):
            if not value >= 1:
                raise ValueError(
                    f"`{name}` must be 1 pixel or more, received {value}; 16 "
                    "and 8 suit images of 32 x 32."
                )
        self.size = size
        self.stride = stride

    def grid_shape(self, height, width):
        """Rows and columns of the grid on an image.

        Args:
            height: int, of the image in pixels.
            width: int.

        Returns:
            Pair of ints.

        Raises:
            ValueError: if a patch is larger than the image.
        """
        if height is None or width is None or self.size > min(height, width):
            raise ValueError(
                "`size` must be at most the height and the width of the "
                f"images, received patches of {self.size} pixels for images "
                f"of {height} x {width}; choose smaller patches."
            )
        return tuple(
            (pixels - self.size) // self.stride + 1
            for pixels in (height, width)
        )

    def call(self, images):
        height, width, channels = images.shape[1:]
        rows, columns = self.grid_shape(height, width)
        # Two gathers, of rows and of columns: what Keras offers multiplies
        # by an identity matrix of a patch's size squared.
        strips = ops.take(images, self._pixels(rows), axis=1)
        patches = ops.take(strips, self._pixels(columns), axis=2)
        shape = (-1, rows, self.size, columns, self.size, channels)
        return ops.transpose(
            ops.reshape(patches, shape), (0, 1, 3, 2, 4, 5)
        )  # (N, rows, columns, size, size, channels)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        grid_shape = self.grid_shape(height, width)
        return (batch, *grid_shape, self.size, self.size, channels)

    def get_config(self):
        return {
            **super().get_config(),
            "size": self.size,
            "stride": self.stride,
        }

    def _pixels(self, count):
        """Which pixels `count` patches in a line are made of, in order."""
        starts = np.arange(count, dtype="int32") * self.stride
        within = np.arange(self.size, dtype="int32")
        return np.add.outer(starts, within).reshape(-1)
