"""Gaussian noise with a standard deviation of its own for each image."""

import keras
from keras import ops

from keras_contrastive.views.transformation import Transformation
from keras_contrastive.views.transformation import between
from keras_contrastive.views.transformation import check_interval


@keras.saving.register_keras_serializable(package="keras_contrastive")
class Noise(Transformation):
    """Adds independent Gaussian noise to every value, with a probability.

        x -> clip(x + deviation n, 0, 1),  n standard normal

    It needs a random number for every value of every image, which makes it
    the dearest of the transformations.

    Args:
        deviation: pair of floats >= 0, range of the standard deviation, on
            the scale [0, 1] of the images.
        probability: float in [0, 1].

    Raises:
        ValueError: an argument is out of range.

    Example:

    ```python
    from keras_contrastive import views

    noise = views.Noise(deviation=(0.0, 0.1), probability=0.5)
    policy = views.Policy([views.ResizedCrop(), noise])
    ```
    """

    stream = 6

    def __init__(self, deviation=(0.0, 0.1), probability=0.5):
        super().__init__(probability)
        self.deviation = check_interval("deviation", deviation, 0.0)

    @property
    def idle(self):
        """Whether no image is ever changed."""
        return super().idle or self.deviation[1] == 0.0

    @staticmethod
    def sample(draws, parameters, shape):
        """Chooses the deviations, and a standard normal for every value."""
        u = draws.per_image(2)
        low, high = parameters["deviation_low"], parameters["deviation_high"]
        noisy = u[:, 0] < parameters["probability"]
        # From multiples of 2**-24 in [0, 1) to the odd ones in (-1, 1): the
        # inverse error function is infinite at both ends.
        centered = (2.0 * draws.per_value(shape) - 1.0) + 2.0**-24
        return {
            "deviation": ops.where(noisy, between(u[:, 1], low, high), 0.0),
            "normals": 2.0**0.5 * ops.erfinv(centered),
        }

    @staticmethod
    def apply(images, deviation, normals):
        """Adds the noise.

        Args:
            images: float32 `(batch, height, width, channels)` in [0, 1].
            deviation: float32 `(batch,)`.
            normals: float32, shaped like `images`.

        Returns:
            float32, shaped like `images`, clipped to [0, 1].
        """
        noise = deviation[:, None, None, None] * normals
        return ops.clip(images + noise, 0.0, 1.0)
