"""Color images as planes, one a channel, and their grey.

Grey is 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601), as in Pillow and
torchvision. An image of one channel is its own grey.
"""

from keras import ops

_LUMA = (0.299, 0.587, 0.114)


def split(images):
    """Splits images into their planes.

    Args:
        images: float tensor `(batch, height, width, channels)`, of 1 or 3
            channels.

    Returns:
        Tuple of tensors `(batch, height, width)`, one a channel.

    Raises:
        ValueError: for another number of channels.
    """
    channels = images.shape[-1]
    if channels not in (1, 3):
        raise ValueError(
            "Color transformations take images of 1 or 3 channels, received "
            f"{channels}; leave them out of the policy."
        )
    return tuple(images[..., k] for k in range(channels))


def stack(planes):
    """Joins planes `(batch, height, width)` into channels-last images.

    XLA on CPU computes every operand of a concatenation by itself, with all
    that the planes share, and so again at each further step: a color jitter
    by concatenations took 40 ms where this takes 5. A selection by channel
    is one loop, in which the shared part is computed once.

    Args:
        planes: tuple of one or three tensors `(batch, height, width)`.

    Returns:
        Tensor `(batch, height, width, channels)`.
    """
    if len(planes) == 1:
        return planes[0][..., None]
    red, green, blue = (plane[..., None] for plane in planes)
    channel = ops.arange(3, dtype="int32")
    return ops.where(channel == 0, red, ops.where(channel == 1, green, blue))


def grey(planes):
    """The grey of an image.

    Args:
        planes: tuple of one or three tensors `(batch, height, width)`.

    Returns:
        Tensor `(batch, height, width)`.
    """
    if len(planes) == 1:
        return planes[0]
    red, green, blue = planes
    return _LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue


def per_image(values):
    """Shapes one number an image so that it broadcasts against a plane.

    Args:
        values: tensor `(batch,)`.

    Returns:
        Tensor `(batch, 1, 1)`.
    """
    return values[:, None, None]
