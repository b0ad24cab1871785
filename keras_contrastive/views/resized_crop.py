"""Resized crop: a random box of the image, resized to the view, flipped or not.

The box covers a fraction of the image's area, uniform over `area`, at a
width / height whose logarithm is uniform over that of `ratio`. Of ten such
boxes, in whole pixels, the first that fits is taken and put anywhere in the
image; if none fits, the largest central box within `ratio`.

The box is resized by Pillow's antialiased bilinear interpolation: output pixel
j looks at the triangle

    w_j(i) ~ max(0, 1 - |i - c_j| / max(1, s)),  c_j = start + (j + 1/2) s - 1/2

of the input's pixels i, normalized to sum 1, where s is box / output size:
where the view shrinks the image, the triangle grows with it. As in
`PIL.Image.resize(box=...)`, pixels around the box take part, and pixels
outside of the image do not exist.

Reference: Szegedy et al. 2015, Going deeper with convolutions, section 6,
https://arxiv.org/abs/1409.4842; torchvision's RandomResizedCrop.
"""

import keras
from keras import ops

from keras_contrastive.views.separable import filter_images
from keras_contrastive.views.transformation import Transformation
from keras_contrastive.views.transformation import between
from keras_contrastive.views.transformation import check_fraction
from keras_contrastive.views.transformation import check_interval

_ATTEMPTS = 10


@keras.saving.register_keras_serializable(package="keras_contrastive")
class ResizedCrop(Transformation):
    """Crops a random box, resizes it to the view's size, and may flip it.

    Args:
        area: pair of floats in (0, 1], the range of the box's fraction of the
            image's area. SimCLR uses (0.08, 1), MoCo (0.2, 1).
        ratio: pair of positive floats, the range of width / height.
        flip: float in [0, 1], probability of a left-right flip.
        probability: float in [0, 1], of cropping; otherwise the whole image
            is resized.

    Raises:
        ValueError: an argument is out of range.

    Example:

    ```python
    from keras_contrastive import views

    policy = views.Policy([views.ResizedCrop(area=(0.2, 1.0))], size=96)
    ```

    Reference: Szegedy et al. 2015, https://arxiv.org/abs/1409.4842
    """

    stream = 1

    def __init__(
        self,
        area=(0.08, 1.0),
        ratio=(3 / 4, 4 / 3),
        flip=0.5,
        probability=1.0,
    ):
        super().__init__(probability)
        self.area = check_interval("area", area, 0.0, 1.0)
        self.ratio = check_interval("ratio", ratio, 0.0)
        self.flip = check_fraction("flip", flip)
        if self.area[0] == 0.0 or self.ratio[0] == 0.0:
            raise ValueError(
                "`area` and `ratio` must be positive, received "
                f"area={area!r} and ratio={ratio!r}."
            )

    @classmethod
    def neutral(cls):
        """Returns the one that resizes the whole image and never flips."""
        return cls(flip=0.0, probability=0.0)

    @property
    def idle(self):
        """Whether no image is ever cropped or flipped."""
        return self.probability == 0.0 and self.flip == 0.0

    @staticmethod
    def sample(draws, parameters, shape):
        """Chooses a box in whole pixels, and whether to flip."""
        u = draws.per_image(4 + 2 * _ATTEMPTS)
        cropped = u[:, 0] < parameters["probability"]
        height, width = _boxes(
            u[:, 4 : 4 + _ATTEMPTS], u[:, 4 + _ATTEMPTS :], parameters, shape
        )
        # No box fits: -1. The largest one then, in the middle.
        fits = height > 0.0
        central_height, central_width = _central_box(parameters, shape)
        height = ops.where(fits, height, central_height)
        width = ops.where(fits, width, central_width)
        free_rows, free_columns = shape[0] - height, shape[1] - width
        top = ops.where(fits, u[:, 2] * (free_rows + 1.0), free_rows / 2.0)
        left = ops.where(
            fits, u[:, 3] * (free_columns + 1.0), free_columns / 2.0
        )
        return {
            "top": ops.where(cropped, ops.floor(top), 0.0),
            "left": ops.where(cropped, ops.floor(left), 0.0),
            "height": ops.where(cropped, height, float(shape[0])),
            "width": ops.where(cropped, width, float(shape[1])),
            "flip": u[:, 1] < parameters["flip"],
        }

    @staticmethod
    def apply(images, top, left, height, width, flip, size=None):
        """Resizes one box of each image.

        Args:
            images: float32 `(batch, height, width, channels)`.
            top, left, height, width: float32 `(batch,)`, the box in pixels;
                fractions of pixels are allowed.
            flip: bool `(batch,)`, whether to flip left and right.
            size: pair of ints, height and width of the view; by default the
                images'.

        Returns:
            float32 `(batch, *size, channels)`.
        """
        new_height, new_width = size or images.shape[1:3]
        rows = _centers(top, height, new_height)
        columns = _centers(left, width, new_width)
        columns = ops.where(flip[:, None], ops.flip(columns, axis=1), columns)
        return filter_images(
            images,
            _weights(rows, height / new_height, images.shape[1], axis=2),
            _weights(columns, width / new_width, images.shape[2], axis=1),
        )


def _boxes(area, log_ratio, parameters, shape):
    """Height and width `(batch,)` of the first box that fits, or -1."""
    low, high = parameters["area_low"], parameters["area_high"]
    area = between(area, low[:, None], high[:, None]) * (shape[0] * shape[1])
    low = ops.log(parameters["ratio_low"])
    high = ops.log(parameters["ratio_high"])
    ratio = ops.exp(between(log_ratio, low[:, None], high[:, None]))
    height = ops.round(ops.sqrt(area / ratio))
    width = ops.round(ops.sqrt(area * ratio))
    fits = (height > 0.0) & (height <= shape[0])
    fits = fits & (width > 0.0) & (width <= shape[1])
    tries = ops.arange(_ATTEMPTS, dtype="int32")
    first = ops.min(ops.where(fits, tries, _ATTEMPTS), axis=1)
    taken = tries == first[:, None]
    return (
        ops.max(ops.where(taken, height, -1.0), axis=1),
        ops.max(ops.where(taken, width, -1.0), axis=1),
    )


def _central_box(parameters, shape):
    """The largest box whose width / height lies within the allowed ratios."""
    height = ops.round(shape[1] / parameters["ratio_low"])
    width = ops.round(shape[0] * parameters["ratio_high"])
    height = ops.minimum(float(shape[0]), height)
    width = ops.minimum(float(shape[1]), width)
    return height, width


def _centers(start, length, size):
    """Where the output's pixels `(batch, size)` lie among the input's."""
    pixels = ops.arange(size, dtype="float32") + 0.5
    return start[:, None] + pixels * (length / size)[:, None] - 0.5


def _weights(centers, scale, size, axis):
    """Triangles around the centers, over the input's pixels along an axis."""
    pixels = ops.arange(size, dtype="float32")
    distance = ops.abs(
        ops.expand_dims(pixels, 2 - axis) - ops.expand_dims(centers, axis)
    )
    # The product is as good as the quotient, and XLA hoists it.
    reach = 1.0 / ops.maximum(scale, 1.0)
    weights = ops.maximum(0.0, 1.0 - distance * reach[:, None, None])
    return weights / ops.sum(weights, axis=axis, keepdims=True)
