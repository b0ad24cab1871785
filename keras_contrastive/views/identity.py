"""The transformation that changes nothing."""

import keras

from keras_contrastive.views.transformation import Transformation


@keras.saving.register_keras_serializable(package="keras_contrastive")
class Identity(Transformation):
    """Leaves every image as it is: the control among transformations.

    Example:

    ```python
    from keras_contrastive import views

    policy = views.Policy([views.Identity()])
    ```
    """

    def __init__(self):
        super().__init__(probability=0.0)

    @classmethod
    def neutral(cls):
        """Returns the identity."""
        return cls()

    @staticmethod
    def sample(draws, parameters, shape):
        """Chooses nothing."""
        return {}

    @staticmethod
    def apply(images):
        """Returns the images."""
        return images
