"""What the processes of one training agree on: the word of the chief.

Under `MultiWorkerMirroredStrategy` every worker runs the same script. One of
them, the chief, writes the files; and where workers could come to different
decisions, as whether to go on from a checkpoint that only the chief's disk
has, all take the chief's. With one process the chief is alone, and has it its
way.
"""

import numpy as np


def count(strategy):
    """How many processes train together.

    Args:
        strategy: tf.distribute.Strategy, or None.

    Returns:
        int, 1 where there is one.
    """
    return 1 if _resolver(strategy) is None else len(_tasks(strategy))


def index(strategy):
    """Which of the processes this is, from 0, the chief.

    Args:
        strategy: tf.distribute.Strategy, or None.

    Returns:
        int.
    """
    resolver = _resolver(strategy)
    if resolver is None:
        return 0
    return _tasks(strategy).index((resolver.task_type, resolver.task_id))


def is_chief(strategy):
    """Whether this process is the one that writes files.

    Args:
        strategy: tf.distribute.Strategy, or None.

    Returns:
        bool, True where there is one process only.
    """
    return index(strategy) == 0


def agree(strategy, value):
    """The chief's value, on every worker; all must call it.

    Args:
        strategy: tf.distribute.Strategy, or None.
        value: number or array, of the same shape and dtype on each worker.

    Returns:
        Array, the chief's value exactly.
    """
    value = np.asarray(value)
    if count(strategy) == 1:
        return value
    import tensorflow as tf

    def chiefs():
        context = tf.distribute.get_replica_context()
        is_first = tf.equal(context.replica_id_in_sync_group, 0)
        # A sum in which all but one summand is zero has no rounding.
        summand = tf.where(is_first, value, np.zeros_like(value))
        return context.all_reduce("SUM", summand)

    found = tf.function(lambda: strategy.run(chiefs), autograph=False)()
    return strategy.experimental_local_results(found)[0].numpy()


def follow_chief(strategy, variables):
    """Gives every worker's variables the values that the chief's have.

    Args:
        strategy: tf.distribute.Strategy, or None.
        variables: list of keras.Variable, in the same order on each worker.
    """
    if count(strategy) == 1:
        return
    # All of a type in one go: each takes a trip over the network. In an order
    # that is the same on all, which that of a set is not.
    for dtype in sorted({variable.dtype for variable in variables}):
        alike = [each for each in variables if each.dtype == dtype]
        values = [each.numpy() for each in alike]
        joined = np.concatenate([each.ravel() for each in values])
        ends = np.cumsum([each.size for each in values])[:-1]
        parts = np.split(agree(strategy, joined), ends)
        with strategy.scope():
            for variable, value, part in zip(alike, values, parts, strict=True):
                variable.assign(part.reshape(value.shape))


def _resolver(strategy):
    """Who knows the workers, None where there is one process only."""
    extended = getattr(strategy, "extended", None)
    in_mode = getattr(extended, "_in_multi_worker_mode", lambda: False)
    return strategy.cluster_resolver if in_mode() else None


def _tasks(strategy):
    """The processes that train, the chief first."""
    spec = strategy.cluster_resolver.cluster_spec()
    return [
        (kind, index)
        for kind in ("chief", "worker")
        if kind in spec.jobs
        for index in spec.task_indices(kind)
    ]
