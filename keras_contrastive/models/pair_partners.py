"""Whom each row of a batch is paired with: one of its kind, one of another."""

from keras import ops

from keras_contrastive.models import streams
from keras_contrastive.views import hash as counter_hash


def partners(kinds, candidate_kinds, positions, seed, step):
    """Finds for each row the next of its kind and the next of another.

    The search goes around the whole batch and begins a number of places
    behind the row, from 1 to all but one, that is a hash of (seed, step).
    The row itself comes last.

    Args:
        kinds: int32 tensor `(batch,)`.
        candidate_kinds: int32 tensor `(all,)`, those of the whole batch.
        positions: int32 tensor `(batch,)`, where the rows stand in it.
        seed: int.
        step: int, or int32 scalar tensor.

    Returns:
        int32 `(batch,)`, places of rows of the same kind, maybe the row's
        own; int32 `(batch,)`, places of rows of another kind; and float32
        `(batch,)`, 1 where there is one, 0 where the place means nothing.
    """
    count = ops.shape(candidate_kinds)[0]
    place = {"seed": seed, "step": step, "positions": ops.zeros(1, "int32")}
    stream = streams.PAIR_PARTNERS
    draw = counter_hash.bits(1, view=0, stream=stream, **place)[0, 0]
    shift = 1 + ops.mod(draw, ops.maximum(count - 1, 1))
    offsets = ops.arange(count, dtype="int32")[None] - positions[:, None]
    turns = ops.where(offsets == 0, count, ops.mod(offsets - shift, count))
    is_same = kinds[:, None] == candidate_kinds[None]
    never = count + 1
    same = ops.argmin(ops.where(is_same, turns, never), axis=1)
    other = ops.argmin(ops.where(is_same, never, turns), axis=1)
    has_other = ops.logical_not(ops.all(is_same, axis=1))
    return same, other, ops.cast(has_other, "float32")
