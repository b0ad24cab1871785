"""A loop over chunks of rows that needs the memory of one chunk only."""

import numbers

from keras import ops


def fold_chunks(step, results, count, chunk_size):
    """Goes from chunk to chunk, and hands the results on.

    All chunks are of one size, the largest up to `chunk_size` that leaves
    the fewest rows for the last one to share with the one before it.

    Args:
        step: function of a `Chunk` and the results so far, one argument
            each; returns the tuple of the results.
        results: tuple of float tensors, what the first step is given.
        count: int or int32 scalar tensor, rows in all.
        chunk_size: int, rows at a time at most.

    Returns:
        Tuple of tensors, what the last step returned. Where a result begins
        with NaN the loop ends early, and the others are not complete.
    """
    turns = -(-count // chunk_size)
    size = -(-count // turns)

    def goes_on(start, *results):
        # What asks for the results waits for them. Else a graph of TensorFlow
        # starts ten turns at once, and holds the similarities of them all.
        for each in results:
            is_lost = ops.isnan(ops.reshape(each, (-1,))[0])
            start = ops.where(is_lost, count, start)
        return start < count

    def turn(start, *results):
        return start + size, *step(Chunk(start, size, count), *results)

    start = ops.zeros((), dtype="int32")
    return ops.while_loop(goes_on, turn, (start, *results))[1:]


class Chunk:
    """Some rows of all, one after the other.

    Args:
        start: int32 scalar tensor, the first row that no chunk had before.
        size: int or int32 scalar tensor, number of rows.
        count: int or int32 scalar tensor, rows in all. A chunk that would
            reach beyond the last begins earlier.
    """

    def __init__(self, start, size, count):
        self.begin = ops.minimum(start, count - size)
        self.size = size
        self.start = start

    def of(self, values):
        """This chunk's rows of a tensor `(count, ...)`."""
        begin = (self.begin, *[0 for _ in values.shape[1:]])
        return ops.slice(values, begin, (self.size, *values.shape[1:]))

    def put(self, values, rows):
        """A tensor `(count, dim)` with these rows in place of its own."""
        return ops.slice_update(values, (self.begin, 0), rows)

    def once(self, rows):
        """These rows `(size, dim)`, zero where an earlier chunk had them."""
        places = self.begin + ops.arange(self.size, dtype="int32")
        return ops.where(places[:, None] < self.start, 0.0, rows)


def check_chunk_size(chunk_size):
    """Refuses what is no number of rows.

    Args:
        chunk_size: int, or None for all rows at once.

    Raises:
        ValueError: for anything else than a positive int or None.
    """
    if chunk_size is None:
        return
    if not isinstance(chunk_size, numbers.Integral) or chunk_size < 1:
        raise ValueError(
            "`chunk_size` must be a positive int, rows at a time, or None for "
            f"all of them, received {chunk_size!r}; 1024 suits large batches."
        )
