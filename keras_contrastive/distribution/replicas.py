"""What replicas of one model share; without a strategy, the identity.

N replicas must train as one. Code that needs to see the global batch asks
here, and gets its own values back where there is one replica only.
"""

import keras
from keras import ops


def count():
    """Returns how many replicas run this step, 1 without a strategy."""
    context = _context()
    return 1 if context is None else context.num_replicas_in_sync


def index():
    """Returns which replica this is, from 0, as an int or a scalar tensor."""
    context = _context()
    return 0 if context is None else context.replica_id_in_sync_group


def all_gather(values):
    """Concatenates every replica's rows along the first axis.

    Gradients flow back to the replica that each row came from.

    Args:
        values: tensor `(batch, ...)`, with the same shape on every replica.

    Returns:
        Tensor `(replicas * batch, ...)`, replica 0's rows first.
    """
    context = _context()
    return values if context is None else context.all_gather(values, axis=0)


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
    # A gathered sum has the right gradient under every strategy; gathering
    # forgets the shape.
    gathered = context.all_gather(values[None], axis=0)
    return ops.reshape(ops.sum(gathered, axis=0), ops.shape(values))


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
