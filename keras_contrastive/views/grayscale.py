"""Random grayscale: the grey of a pixel in each of its channels.

Reference: Wu et al. 2018, Unsupervised feature learning via non-parametric
instance discrimination, https://arxiv.org/abs/1805.01978
"""

import keras
from keras import ops

from keras_contrastive.views import channels
from keras_contrastive.views.transformation import Transformation


@keras.saving.register_keras_serializable(package="keras_contrastive")
class Grayscale(Transformation):
    """Turns an image grey, in three equal channels, with a probability.

    Grey is 0.299 red + 0.587 green + 0.114 blue. An image of one channel is
    grey already.

    Args:
        probability: float in [0, 1].

    Raises:
        ValueError: the probability is outside [0, 1].

    Example:

    ```python
    from keras_contrastive import views

    policy = views.Policy([views.Grayscale(probability=0.2)])
    ```

    Reference: Wu et al. 2018, https://arxiv.org/abs/1805.01978
    """

    stream = 3

    def __init__(self, probability=0.2):
        super().__init__(probability)

    @staticmethod
    def sample(draws, parameters, shape):
        """Chooses which images turn grey."""
        return {"grey": draws.per_image(1)[:, 0] < parameters["probability"]}

    @staticmethod
    def apply(images, grey):
        """Turns the chosen images grey.

        Args:
            images: float32 `(batch, height, width, channels)` in [0, 1], of 1
                or 3 channels.
            grey: bool `(batch,)`.

        Returns:
            float32, shaped like `images`.
        """
        planes = channels.split(images)
        value = channels.grey(planes)
        grey = channels.per_image(grey)
        return channels.stack([ops.where(grey, value, p) for p in planes])
