"""Cutout: a square of the image is covered.

Reference: DeVries and Taylor 2017, Improved regularization of convolutional
neural networks with cutout, https://arxiv.org/abs/1708.04552
"""

import keras
from keras import ops

from keras_contrastive.views.transformation import Transformation
from keras_contrastive.views.transformation import check_fraction


@keras.saving.register_keras_serializable(package="keras_contrastive")
class Cutout(Transformation):
    """Covers a square of one color, with a probability.

    The square's center is any pixel; what lies outside of the image is lost,
    so that less than the whole square may be covered.

    Args:
        size: float in [0, 1], the square's side as a fraction of the view's
            shorter side. The paper uses 16 of 32 pixels on CIFAR-10.
        fill: float in [0, 1], the color of the square. The paper covers with
            the mean color; grey is near it.
        probability: float in [0, 1].

    Raises:
        ValueError: an argument is out of range.

    Example:

    ```python
    from keras_contrastive import views

    policy = views.Policy([views.ResizedCrop(), views.Cutout(size=0.25)])
    ```

    Reference: DeVries and Taylor 2017, https://arxiv.org/abs/1708.04552
    """

    stream = 7

    def __init__(self, size=0.5, fill=0.5, probability=0.5):
        super().__init__(probability)
        self.size = check_fraction("size", size)
        self.fill = check_fraction("fill", fill)

    @staticmethod
    def sample(draws, parameters, shape):
        """Chooses the squares' centers; the side is 0 where there is none."""
        u = draws.per_image(3)
        side = ops.round(parameters["size"] * min(shape[:2]))
        covered = u[:, 0] < parameters["probability"]
        return {
            "row": ops.floor(u[:, 1] * shape[0]),
            "column": ops.floor(u[:, 2] * shape[1]),
            "side": ops.where(covered, side, 0.0),
            "fill": parameters["fill"],
        }

    @staticmethod
    def apply(images, row, column, side, fill):
        """Covers a square of each image.

        Args:
            images: float32 `(batch, height, width, channels)`.
            row, column: float32 `(batch,)`, the square's center: it begins
                side // 2 pixels before.
            side: float32 `(batch,)`, in pixels; 0 covers nothing.
            fill: float32 `(batch,)` or `(1,)`, the color.

        Returns:
            float32, shaped like `images`.
        """
        rows = _covered(row, side, images.shape[1])
        columns = _covered(column, side, images.shape[2])
        square = rows[:, :, None, None] & columns[:, None, :, None]
        return ops.where(square, fill[:, None, None, None], images)


def _covered(center, side, size):
    """Which pixels `(batch, size)` of an axis the square covers."""
    start = (center - side / 2.0)[:, None]
    pixels = ops.arange(size, dtype="float32")
    return (pixels >= start) & (pixels < start + side[:, None])
