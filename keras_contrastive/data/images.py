"""What counts as images: uint8, or float in [0, 1], channels last."""

import numpy as np

# Enough rows of what lies on disk to notice a wrong range.
_ROWS_LOOKED_AT = 64


def check_images(images, name="images"):
    """Refuses what is not a stack of images in one of the two ranges.

    Arrays in memory are looked at whole, anything else at its first rows.

    Args:
        images: uint8 0..255 or float [0, 1], (N, height, width, channels);
            anything with a length that integer arrays can index.
        name: str, what an error calls them.

    Raises:
        ValueError: another type, rank or range, or no image.
    """
    rows = _some_rows(images, name)
    if rows.ndim != 4 or not rows.size:
        raise ValueError(
            f"`{name}` must have the shape (N, height, width, channels) with "
            f"at least one image, received {rows.shape[1:]} for each of "
            f"{len(images)}; images[..., None] gives grey ones a channel, "
            "images[None] makes a stack of one."
        )
    if rows.dtype == np.uint8:
        return
    if not np.issubdtype(rows.dtype, np.floating):
        raise ValueError(
            f"`{name}` must be uint8 of 0..255 or float of [0, 1], received "
            f"{rows.dtype}; `.astype('uint8')` may help."
        )
    low, high = rows.min(), rows.max()
    if not (low >= 0 and high <= 1):
        raise ValueError(
            f"`{name}` of type {rows.dtype} must lie in [0, 1], received "
            f"{low:g} to {high:g}; scale them, or pass uint8 of 0..255."
        )


def _some_rows(images, name):
    try:
        if type(images) is np.ndarray:
            return images[:]
        return np.asarray(images[np.arange(min(len(images), _ROWS_LOOKED_AT))])
    except (TypeError, IndexError, ValueError) as error:
        raise ValueError(
            f"`{name}` must be an array or something else with a length that "
            f"integer arrays can index, received {type(images).__name__}; "
            "`numpy.asarray` may help."
        ) from error
