"""Labels as they come in: one whole number an image, checked once."""

import operator

import numpy as np


def as_labels(labels, name="labels", count=None):
    """Checks one whole number per image and returns them as int32.

    Args:
        labels: integers (N,), none negative.
        name: str, what an error calls them.
        count: int, the number of images that they must match, or None.

    Returns:
        int32 (N,).

    Raises:
        ValueError: another type, rank, length or range.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(
            f"`{name}` must be one whole number per image, of shape (N,), "
            f"received {labels.dtype} of shape {labels.shape}; "
            "`.ravel()` and `.astype('int32')` may help."
        )
    if count is not None and len(labels) != count:
        raise ValueError(
            f"`{name}` must hold one number per image, received "
            f"{len(labels)} for {count} images."
        )
    if labels.size and not (0 <= labels.min() and labels.max() < 2**31):
        raise ValueError(
            f"`{name}` must lie between 0 and {2**31 - 1}, received "
            f"{labels.min()} to {labels.max()}."
        )
    return labels.astype(np.int32, copy=False)


def labels_or_count(labels):
    """Labels of images, or of so many images as if all were of one class.

    Args:
        labels: integers (N,), or int, a number of unlabelled images.

    Returns:
        int32 (N,).

    Raises:
        ValueError: neither of the two, or no image at all.
    """
    if labels is None:
        raise ValueError(
            "`labels` must be given, received None; for images without "
            "labels pass their number."
        )
    if np.ndim(labels) == 0:
        count = as_whole_number(labels, "labels", minimum=1)
        return np.zeros(count, np.int32)
    labels = as_labels(labels)
    if not labels.size:
        raise ValueError("`labels` must name at least one image, received 0.")
    return labels


def as_whole_number(value, name, minimum):
    """Checks a whole number and returns it as int.

    Args:
        value: int, or a NumPy integer.
        name: str, what an error calls it.
        minimum: int, the least allowed.

    Returns:
        int.

    Raises:
        ValueError: not a whole number, or below `minimum`.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or number < minimum:
        raise ValueError(
            f"`{name}` must be a whole number of at least {minimum}, "
            f"received {value!r}."
        )
    return number
