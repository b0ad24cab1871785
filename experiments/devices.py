"""The strategy that a script trains under, and what its workers agree on."""

import atexit
import contextlib
import pathlib
import shutil
import tempfile

from absl import flags

from experiments import strategy_flags
from experiments import training_flags

_strategy = None


def start(values):
    """Makes the strategy that the flags ask for; before anything computes.

    Args:
        values: `flags.FLAGS`, parsed.

    Raises:
        ValueError: for devices that there are not, a strategy of another
            backend, or a batch that replicas cannot share.
    """
    if values.strategy == "default":
        return
    from keras_contrastive import distribution

    devices = values.devices
    if values.logical_cpus:
        every = distribution.logical_cpus(values.logical_cpus)
        devices = devices or every
    global _strategy
    _strategy = distribution.strategy(
        values.strategy, devices, values.cluster, values.task_index
    )
    batch_size = training_flags.value_of(values, "batch_size")
    replicas = num_replicas()
    if batch_size % replicas:
        raise ValueError(
            f"--batch_size={batch_size} is that of all replicas together, and "
            f"{replicas} cannot share it equally; choose a multiple of "
            f"{replicas}."
        )


def output_dir(values):
    """The folder to write to: scratch, removed at the end, if not the chief.

    Args:
        values: `flags.FLAGS`, parsed.

    Returns:
        pathlib.Path.
    """
    if strategy_flags.is_chief(values):
        return pathlib.Path(values.output_dir)
    scratch = tempfile.mkdtemp(prefix="keras_contrastive_worker_")
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    return pathlib.Path(scratch)


def scope():
    """The scope in which models and optimizers are made."""
    return contextlib.nullcontext() if _strategy is None else _strategy.scope()


def num_replicas():
    """How many replicas train a model.

    Returns:
        int.
    """
    from keras_contrastive.distribution import replicas

    return replicas.count_of(_strategy)


def shareable(batch_size):
    """The largest batch that replicas can share, of at most a given size.

    Args:
        batch_size: int, as many images as there are.

    Returns:
        int.

    Raises:
        ValueError: if there are fewer images than replicas.
    """
    rest = batch_size % num_replicas()
    if rest == batch_size:
        raise ValueError(
            f"{batch_size} images are too few for {num_replicas()} replicas; "
            "take fewer devices."
        )
    return batch_size - rest


def synchronizes(values):
    """Whether batch normalization has to be told to span replicas.

    Args:
        values: `flags.FLAGS`, parsed.

    Returns:
        bool.
    """
    from keras_contrastive.distribution import replicas

    # On JAX it spans the global batch by itself.
    if num_replicas() == 1 or replicas.is_global(_strategy):
        return False
    return values.batch_norm == "synchronized"


def is_chief():
    """Whether this process is the one that evaluates, speaks and writes.

    Returns:
        bool.
    """
    return _ask("is_chief")


def agreed(value):
    """The chief's value, on every worker; all must call it.

    Args:
        value: bool or int.

    Returns:
        int.
    """
    return int(_ask("agree", int(value)))


def means_a_lost_worker(error):
    """Whether an error says that another worker does not answer any more.

    Args:
        error: Exception.

    Returns:
        bool.
    """
    if _ask("count") == 1:
        return False
    import tensorflow as tf

    return isinstance(
        error,
        (
            tf.errors.AbortedError,
            tf.errors.DeadlineExceededError,
            tf.errors.UnavailableError,
        ),
    )


def build_optimizer(model):
    """Makes the variables of a compiled model's optimizer on all devices.

    Args:
        model: ContrastiveModel, compiled.
    """
    if not model.optimizer.built:
        with scope():
            model.optimizer.build(model.trainable_variables)


def resume(folder, model):
    """Puts a compiled model where the chief's folder says that the run stood.

    Args:
        folder: RunFolder.
        model: ContrastiveModel, compiled.

    Returns:
        int, the epochs that the run has had.
    """
    build_optimizer(model)
    epochs = agreed(folder.load_checkpoint(model))
    if epochs:
        _ask("follow_chief", model.variables + model.optimizer.variables)
    return epochs


def describe():
    """What a run's record says of where it was trained.

    Returns:
        Dict.
    """
    return {
        "strategy": flags.FLAGS.strategy,
        "replicas": num_replicas(),
        "workers": _ask("count"),
    }


def _ask(question, *arguments):
    from keras_contrastive.distribution import workers

    return getattr(workers, question)(_strategy, *arguments)
