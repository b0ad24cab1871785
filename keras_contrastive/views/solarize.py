"""Solarization: values from a threshold upwards are inverted.

Reference: Grill et al. 2020, Bootstrap your own latent, appendix B,
https://arxiv.org/abs/2006.07733
"""

import keras
from keras import ops

from keras_contrastive.views.transformation import Transformation
from keras_contrastive.views.transformation import check_fraction


@keras.saving.register_keras_serializable(package="keras_contrastive")
class Solarize(Transformation):
    """Replaces values x >= threshold by 1 - x, with a probability.

    Args:
        threshold: float in [0, 1], on the scale of the images.
        probability: float in [0, 1]. BYOL uses 0.2 for its second view.

    Raises:
        ValueError: an argument is out of range.

    Example:

    ```python
    from keras_contrastive import views

    policy = views.Policy([views.ResizedCrop(), views.Solarize()])
    ```

    Reference: Grill et al. 2020, appendix B, https://arxiv.org/abs/2006.07733
    """

    stream = 5

    def __init__(self, threshold=0.5, probability=0.2):
        super().__init__(probability)
        self.threshold = check_fraction("threshold", threshold)

    @staticmethod
    def sample(draws, parameters, shape):
        """Chooses which images change; the others' threshold is 2."""
        changed = draws.per_image(1)[:, 0] < parameters["probability"]
        return {"threshold": ops.where(changed, parameters["threshold"], 2.0)}

    @staticmethod
    def apply(images, threshold):
        """Inverts what reaches the threshold.

        Args:
            images: float32 `(batch, height, width, channels)` in [0, 1].
            threshold: float32 `(batch,)`; above 1 nothing changes.

        Returns:
            float32, shaped like `images`.
        """
        bright = images >= threshold[:, None, None, None]
        return ops.where(bright, 1.0 - images, images)
