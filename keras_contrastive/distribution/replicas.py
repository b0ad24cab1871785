"""What replicas of one model share; without a strategy, the identity.

N replicas must train as one. Code that needs to see the global batch asks
here, and gets its own values back where there is one replica only.
"""

import keras
from keras import ops


def count():
    """How many replicas run this step.

    Returns:
        int, 1 without a strategy.
    """
    context = _context()
    return 1 if context is None else context.num_replicas_in_sync


def index():
    """Which of the replicas runs this step.

    Returns:
        int, or int32 scalar tensor, from 0; 0 without a strategy.
    """
    context = _context()
    return 0 if context is None else context.replica_id_in_sync_group


def count_of(strategy):
    """How many replicas a strategy has, in a step or out of it.

    On JAX `count` says 1 whatever there are: a step's arrays are those of the
    global batch, of which each device holds a part.

    Args:
        strategy: tf.distribute.Strategy, keras.distribution.DataParallel, or
            None.

    Returns:
        int, 1 without a strategy.
    """
    if strategy is None:
        return 1
    if is_global(strategy):
        return strategy.num_model_replicas
    return strategy.num_replicas_in_sync


def is_global(strategy):
    """Whether a step sees the global batch, as it does on JAX.

    Args:
        strategy: as in `count_of`.

    Returns:
        bool.
    """
    return hasattr(strategy, "num_model_replicas")


def checked_rows(values):
    """How many rows a replica has; refuses unequal ones when it runs.

    Args:
        values: tensor `(batch, ...)`.

    Returns:
        int, or int32 scalar tensor.
    """
    context = _context()
    if context is None:
        return ops.shape(values)[0]
    import tensorflow as tf

    mine = tf.shape(values)[0]
    unequal = tf.debugging.assert_equal(
        context.all_gather(mine[None], axis=0),
        mine,
        "Every replica must get equally many images; make the batch size "
        "divisible by the number of replicas, and leave out a last batch "
        "that is not full.",
    )
    with tf.control_dependencies([unequal]):
        return tf.identity(mine)


def all_gather(values, lots=1):
    """Concatenates every replica's rows along the first axis.

    Gradients flow back to the replica that each row came from.

    Args:
        values: tensor `(batch, ...)`, with the same shape on every replica.
        lots: int, of how many lots of equally many rows the values consist,
            such as the first views of all images and then the second ones.
            Each is gathered by itself, and so the lots stay together.

    Returns:
        Tensor `(replicas * batch, ...)`, replica 0's rows of a lot first: the
        order in which one replica would have them.
    """
    context = _context()
    if context is None:
        return values
    return ops.concatenate(
        [_gathered(context, lot) for lot in ops.split(values, lots)]
    )


def my_rows(values, lots=1):
    """This replica's rows of what `all_gather` gave.

    Args:
        values: tensor `(replicas * batch, ...)`.
        lots: int, as in `all_gather`.

    Returns:
        Tensor `(batch, ...)`.
    """
    if _context() is None:
        return values
    mine = []
    for lot in ops.split(values, lots):
        rows = ops.shape(lot)[0] // count()
        mine.append(lot[index() * rows : (index() + 1) * rows])
    return ops.concatenate(mine)


def all_sum(values):
    """Adds a tensor up over all replicas; gradients are added up likewise.

    Args:
        values: tensor of any shape, the same on every replica.

    Returns:
        The sum, on every replica.
    """
    context = _context()
    if context is None:
        return values
    import tensorflow as tf

    # An identity of its own is on this replica's device, as it must be.
    summand = tf.identity(_as_collectives_take(values))
    total = context.all_reduce("SUM", summand)
    return ops.cast(_with_dense_gradient(total, values.shape), values.dtype)


def _gathered(context, values):
    """Gathers, and says of which shape the result is, which is forgotten."""
    gathered = context.all_gather(_as_collectives_take(values), axis=0)
    rows, *rest = values.shape
    shape = (rows and rows * context.num_replicas_in_sync, *rest)
    return ops.cast(_with_dense_gradient(gathered, shape), values.dtype)


def _as_collectives_take(values):
    """What TensorFlow's collectives do not know, as what they do."""
    return ops.cast(values, "float32") if values.dtype == "bfloat16" else values


def _with_dense_gradient(values, shape):
    """What only some rows are taken of has a sparse gradient.

    Collectives cannot bring that back to the other replicas; a reshape makes
    it dense.
    """
    import tensorflow as tf

    values = tf.reshape(values, tf.shape(values))
    values.set_shape(shape)
    return values


def _context():
    """The replica context of tf.distribute, None where it has one replica."""
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    if not tf.distribute.has_strategy():
        return None
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return None
    return context
