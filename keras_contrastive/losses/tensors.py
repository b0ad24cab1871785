"""What a loss is given, as tensors."""

import keras
from keras import ops


def as_tensor(name, values):
    """Makes a tensor of lists of numbers; arrays and tensors stay.

    Args:
        name: str, what the caller calls them.
        values: array, tensor, or lists of numbers.

    Returns:
        Array or tensor.

    Raises:
        ValueError: for what is no numbers, or lists of unequal length.
    """
    if hasattr(values, "shape"):
        return values
    try:
        tensor = None if values is None else ops.convert_to_tensor(values)
    except (TypeError, ValueError):
        tensor = None
    if tensor is None or _is_text(tensor):
        raise ValueError(
            f"`{name}` must be an array, a tensor or lists of numbers, all of "
            f"one length, received {values!r}; one row for each image."
        )
    return tensor


def as_rows(name, values):
    """Takes vectors, one a row, or refuses them.

    Args:
        name: str, what the caller calls them.
        values: array, tensor or lists of numbers.

    Returns:
        Array or tensor `(batch, dim)`.

    Raises:
        ValueError: for another number of axes, or what is no numbers.
    """
    values = as_tensor(name, values)
    if len(values.shape) != 2:
        raise ValueError(
            f"`{name}` must have the shape (batch, dim), received "
            f"{tuple(values.shape)}; give one vector a row."
        )
    return values


def _is_text(tensor):
    return keras.backend.standardize_dtype(tensor.dtype) == "string"
