"""A random order of a batch's rows, the same for the same step."""

from keras import ops

from keras_contrastive.models import streams
from keras_contrastive.views import hash as counter_hash


def shuffled_rows(count, seed, step):
    """Draws an order of rows, and the order that undoes it.

    Args:
        count: int, or int scalar tensor, rows.
        seed: int.
        step: int32 scalar tensor, the training step.

    Returns:
        Two int32 tensors `(count,)`: taking rows by the first and then by
        the second leaves them as they were.
    """
    draws = counter_hash.bits(
        1,
        seed=seed,
        step=step,
        positions=ops.arange(count, dtype="int32"),
        view=0,
        stream=streams.SHUFFLED_ROWS,
    )
    order = ops.argsort(draws[:, 0])
    return order, ops.argsort(order)
