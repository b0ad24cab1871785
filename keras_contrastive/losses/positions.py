"""Where the rows of a loss stand among its candidates."""

from keras import ops


def positions_or_all(rows, positions):
    """Positions as they are given, or one row after the other.

    Args:
        rows: tensor `(batch, ...)`, or a list of labels.
        positions: int tensor `(batch,)`, or None for `0 .. batch - 1`.

    Returns:
        int32 tensor `(batch,)`.
    """
    if positions is None:
        rows = ops.convert_to_tensor(rows)
        return ops.arange(ops.shape(rows)[0], dtype="int32")
    return ops.cast(positions, "int32")
