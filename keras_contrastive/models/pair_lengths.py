"""Pairs are given as arrays of one length: anything else is refused."""


def check_arrays(x):
    """Refuses a dict of arrays, given at once, that are not as many.

    Args:
        x: what `fit` takes; anything but a dict passes.

    Raises:
        ValueError: if two are of unequal length.
    """
    if isinstance(x, dict):
        check_lengths(**x)


def check_lengths(**arrays):
    """Refuses pairs whose parts are not as many; what is not known passes.

    Args:
        **arrays: what the caller calls each, and the array or tensor.

    Raises:
        ValueError: if two are of unequal length.
    """
    counts = [_length(each) for each in arrays.values()]
    if len(set(counts) - {None}) > 1:
        names = ", ".join(f"`{name}`" for name in arrays)
        raise ValueError(
            f"{names} must be equally long, received "
            f"{', '.join(map(str, counts))}; give pairs, one row each."
        )


def _length(array):
    return array.shape[0] if hasattr(array, "shape") else len(array)
