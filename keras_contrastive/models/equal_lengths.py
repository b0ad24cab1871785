"""What belongs together row by row is of one length, or refused."""


def check_lengths(**arrays):
    """Refuses arrays that are not as long; a length not known passes.

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
            f"{', '.join(map(str, counts))}; row i of each belongs together."
        )


def _length(array):
    return array.shape[0] if hasattr(array, "shape") else len(array)
