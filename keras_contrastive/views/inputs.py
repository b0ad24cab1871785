"""What a view is made from: images, positions, policy ids, checked."""

import keras
import numpy as np
from keras import ops

_FLOATS = ("float16", "bfloat16", "float32", "float64")


def to_unit_floats(images):
    """Returns images as float32 in [0, 1], or refuses them.

    Args:
        images: uint8 in 0..255 or float in [0, 1], of shape `(batch, height,
            width, channels)`. Values are checked in NumPy arrays only: a
            tensor's cannot be seen while a program is compiled.

    Returns:
        float32 tensor of the same shape.

    Raises:
        ValueError: another data type or rank, or values outside [0, 1].
    """
    if not hasattr(images, "dtype") or not hasattr(images, "shape"):
        raise ValueError(
            "`images` must be an array or a tensor, received a "
            f"{type(images).__name__}; numpy.stack makes one of a list."
        )
    dtype = keras.backend.standardize_dtype(images.dtype)
    if dtype != "uint8" and dtype not in _FLOATS:
        raise ValueError(
            "`images` must be uint8, or float in [0, 1], received "
            f"{dtype}; convert them first."
        )
    if len(images.shape) != 4 or None in tuple(images.shape)[1:]:
        raise ValueError(
            "`images` must have shape (batch, height, width, channels), all "
            f"but the batch known, received {tuple(images.shape)}."
        )
    if dtype == "uint8":
        return ops.cast(images, "float32") / 255.0
    if isinstance(images, np.ndarray) and images.size:
        _check_range("images", images, 0.0, 1.0, "scale them first")
    return ops.cast(images, "float32")


def to_ids(policy_ids, num_policies):
    """Returns policy ids as an int32 tensor, or refuses them.

    Args:
        policy_ids: integers `(batch,)`, checked where they are NumPy's.
        num_policies: int.

    Returns:
        int32 tensor `(batch,)`.

    Raises:
        ValueError: the ids are missing or out of range.
    """
    if policy_ids is None:
        raise ValueError(
            f"`policy_ids` must say which of {num_policies} policies makes "
            "each image's view, received None."
        )
    if isinstance(policy_ids, np.ndarray) and policy_ids.size:
        fix = "count the policies from 0"
        _check_range("policy_ids", policy_ids, 0, num_policies - 1, fix)
    return ops.cast(policy_ids, "int32")


def _check_range(name, values, least, most, fix):
    low, high = values.min(), values.max()
    # Written so that NaN is refused as well.
    if not (low >= least and high <= most):
        raise ValueError(
            f"`{name}` must be between {least:g} and {most:g}, received "
            f"values from {low:g} to {high:g}; {fix}."
        )
