"""Which rows of a batch make up which split.

An assignment turns an array `(rows, channels)` into sums over each split,
`(splits, channels)`, and spreads such an array over the rows again.
"""

import keras
from keras import ops

from keras_contrastive.distribution import replicas

ASSIGNMENTS = ("contiguous", "interleaved", "ids")


def split_assignment(assignment, num_splits, num_rows, split_ids=None):
    """Makes the assignment of a batch's rows.

    Args:
        assignment: `"contiguous"`, the first rows are split 0;
            `"interleaved"`, row `i` is in split `i` mod `num_splits`; or
            `"ids"`, row `i` is in split `split_ids[i]`.
        num_splits: int.
        num_rows: int or scalar tensor.
        split_ids: int tensor `(rows,)`, for `"ids"` only.

    Returns:
        An object with `counts` `(splits, 1)`, the rows in each split,
        `sums(rows)` and `spread(splits)`.
    """
    if assignment == "ids":
        if split_ids is None:
            raise ValueError(
                "`split_ids` is None, but with assignment='ids' a training "
                "step must know each row's split; pass an int tensor (rows,)."
            )
        return _ById(num_splits, checked_ids(split_ids))
    if split_ids is not None:
        raise ValueError(
            f"`split_ids` was given, but with assignment='{assignment}' a "
            "row's place decides its split; leave `split_ids` out in "
            "training, or use assignment='ids'."
        )
    num_rows = _without_remainder(num_splits, num_rows)
    return _ByPlace(num_splits, num_rows, assignment == "interleaved")


def split_across_replicas(assignment, num_splits, num_rows, split_ids=None):
    """Makes the assignment of a replica's rows to splits of all rows.

    Args:
        assignment: as in `split_assignment`.
        num_splits: int.
        num_rows: int or scalar tensor, of this replica; the others have as
            many, and stand before and behind it by their index.
        split_ids: int tensor `(rows,)`, for `"ids"` only.

    Returns:
        As `split_assignment`; the rows, counted and summed, are this
        replica's, and other replicas' rows may be in the same splits.
    """
    if assignment == "ids" or split_ids is not None:
        return split_assignment(assignment, num_splits, num_rows, split_ids)
    total = _without_remainder(num_splits, num_rows * replicas.count())
    rows = replicas.index() * num_rows + ops.arange(num_rows, dtype="int32")
    interleaved = assignment == "interleaved"
    ids = rows % num_splits if interleaved else rows // (total // num_splits)
    return _ById(num_splits, ids)


def checked_ids(split_ids):
    """Refuses ids that are not one for each row.

    Args:
        split_ids: int tensor or array `(rows,)`.

    Returns:
        int32 tensor `(rows,)`.

    Raises:
        ValueError: for another number of axes.
    """
    split_ids = ops.convert_to_tensor(split_ids)
    if len(split_ids.shape) != 1:
        raise ValueError(
            "`split_ids` must have the shape (rows,), received "
            f"{tuple(split_ids.shape)}; pass one id for each row."
        )
    return ops.cast(split_ids, "int32")


class _ByPlace:
    """Splits of equal size: a reshape, and a reduction over one axis."""

    def __init__(self, num_splits, num_rows, interleaved):
        size = num_rows // num_splits
        self._shape = (size, num_splits) if interleaved else (num_splits, size)
        self._axis = 0 if interleaved else 1
        self.counts = ops.cast(ops.full((num_splits, 1), size), "float32")

    def grouped(self, rows):
        """Rows `(rows, ...)` by split and place in it, or the reverse."""
        return ops.reshape(rows, (*self._shape, *rows.shape[1:]))

    def sums(self, rows):
        return ops.sum(self.grouped(rows), axis=self._axis)

    def spread(self, splits):
        channels = splits.shape[-1]
        grouped = ops.broadcast_to(
            ops.expand_dims(splits, self._axis), (*self._shape, channels)
        )
        return ops.reshape(grouped, (-1, channels))


class _ById:
    """Splits of any size, empty ones included: sums by segment."""

    def __init__(self, num_splits, split_ids):
        self._num_splits = num_splits
        self._split_ids = split_ids
        ones = ops.ones_like(split_ids, dtype="float32")
        self.counts = self.sums(ops.expand_dims(ones, -1))

    def sums(self, rows):
        return ops.segment_sum(rows, self._split_ids, self._num_splits)

    def spread(self, splits):
        return ops.take(splits, self._split_ids, axis=0)


def _without_remainder(num_splits, num_rows):
    """Refuses a remainder, in a graph of unknown batch when it runs."""
    sentence = (
        "A batch of",
        num_rows,
        f"rows cannot be split into {num_splits} equal splits; drop the rest "
        "of the batch, or use assignment='ids'.",
    )
    if isinstance(num_rows, int):
        if num_rows % num_splits:
            raise ValueError(" ".join(map(str, sentence)))
    elif keras.backend.backend() == "tensorflow":
        from keras_contrastive.layers import fused_tensorflow

        return fused_tensorflow.refuse_unless(
            num_rows % num_splits == 0, sentence, num_rows
        )
    return num_rows
