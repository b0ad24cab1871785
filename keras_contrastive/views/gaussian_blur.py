"""Gaussian blur with a standard deviation of its own for each image.

    w(d) ~ exp(-d**2 / (2 sigma**2)),  d = -radius..radius pixels

normalized to sum 1, along both axes; the image is continued by reflection
about its outermost pixels, as in torchvision.

Reference: Chen et al. 2020, appendix A, https://arxiv.org/abs/2002.05709
"""

import keras
from keras import ops

from keras_contrastive.views.separable import filter_images
from keras_contrastive.views.transformation import Transformation
from keras_contrastive.views.transformation import between
from keras_contrastive.views.transformation import check_interval


@keras.saving.register_keras_serializable(package="keras_contrastive")
class GaussianBlur(Transformation):
    """Blurs an image by a Gaussian of random width, with a probability.

    Args:
        sigma: pair of positive floats, range of the standard deviation, in
            pixels of the view.
        probability: float in [0, 1].
        kernel_size: odd int >= 3, the taps along an axis, or None for
            SimCLR's: those within a twentieth of the view's shorter side,
            rounded down, and at least 3. What exceeds the view is left out.

    Raises:
        ValueError: an argument is out of range.

    Example:

    ```python
    from keras_contrastive import views

    blur = views.GaussianBlur(sigma=(0.1, 2.0), probability=0.5)
    policy = views.Policy([views.ResizedCrop(), blur], size=96)
    ```

    Reference: Chen et al. 2020, appendix A, https://arxiv.org/abs/2002.05709
    """

    stream = 4

    def __init__(self, sigma=(0.1, 2.0), probability=0.5, kernel_size=None):
        super().__init__(probability)
        self.sigma = check_interval("sigma", sigma, 0.0)
        if self.sigma[0] == 0.0:
            raise ValueError(
                f"`sigma` must be positive, received {sigma!r}; SimCLR uses "
                "(0.1, 2.0)."
            )
        if kernel_size is not None and (
            kernel_size < 3 or kernel_size % 2 != 1
        ):
            raise ValueError(
                "`kernel_size` must be odd and at least 3, or None, received "
                f"{kernel_size!r}."
            )
        self.kernel_size = kernel_size

    @staticmethod
    def sample(draws, parameters, shape):
        """Chooses the widths; 0 where an image is not blurred."""
        u = draws.per_image(2)
        low, high = parameters["sigma_low"], parameters["sigma_high"]
        blurred = u[:, 0] < parameters["probability"]
        size = parameters["kernel_size"]
        usual = float(max(1, min(shape[:2]) // 20))
        radius = ops.where(size > 0.0, (size - 1.0) / 2.0, usual)
        return {
            "sigma": ops.where(blurred, between(u[:, 1], low, high), 0.0),
            "radius": radius,
        }

    @staticmethod
    def apply(images, sigma, radius):
        """Blurs each image.

        Args:
            images: float32 `(batch, height, width, channels)`.
            sigma: float32 `(batch,)`, standard deviations in pixels; 0 leaves
                the image as it is.
            radius: float32 `(batch,)` or `(1,)`, the taps on each side.

        Returns:
            float32, shaped like `images`.
        """
        _, height, width, _ = images.shape
        rows = _weights(sigma, radius, height)
        columns = ops.transpose(_weights(sigma, radius, width), (0, 2, 1))
        return filter_images(images, rows, columns)


def _weights(sigma, radius, size):
    """The taps of each pixel `(batch, size, size)`, mirrored at the edges."""
    pixels = ops.arange(size, dtype="float32")
    target, source = pixels[:, None], pixels[None, :]
    steepness = 0.5 / ops.maximum(sigma * sigma, 1e-12)
    steepness = steepness[:, None, None]
    radius = ops.minimum(radius, size - 1.0)[:, None, None]

    def taps(distance):
        inside = ops.abs(distance) <= radius
        return ops.where(inside, ops.exp(-distance * distance * steepness), 0.0)

    # A pixel is met at its place and at its mirror images beyond both edges;
    # the outermost pixels are the mirrors, and met there only once.
    last = size - 1.0
    weights = taps(source - target)
    weights += ops.where(source > 0.0, taps(source + target), 0.0)
    weights += ops.where(source < last, taps(2.0 * last - source - target), 0.0)
    return weights / ops.sum(weights, axis=-1, keepdims=True)
