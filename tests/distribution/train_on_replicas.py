"""Trains every method under strategies of tf.distribute, and keeps the result.

    python -m tests.distribution.train_on_replicas FOLDER 1 2

trains in one process, whose processor TensorFlow takes for two devices, on
one and two of them, and writes `FOLDER/1.npz` and `FOLDER/2.npz`. Without
numbers it is one of the workers of TF_CONFIG, and writes
`FOLDER/worker_0.npz`.

Statistics of batch normalization are synchronized.
"""

import gc
import pathlib
import sys
import warnings

import keras
import numpy as np

from keras_contrastive import data
from keras_contrastive import distribution
from keras_contrastive.distribution import workers
from keras_contrastive.distribution.feed import feed
from tests.distribution import five_steps
from tests.distribution.losses_on_replicas import values_and_gradients
from tests.small_methods import BATCH_SIZE
from tests.small_methods import IMAGES
from tests.small_methods import METHODS
from tests.small_methods import method
from tests.small_methods import splits

# What so many splits on one device are, so many replicas are by themselves.
LOCAL = {
    1: {
        "two_splits": splits(2),
        "four_splits": splits(4),
        "keras": splits(2),
    },
    2: {
        "two_splits": "batch",
        "keras": keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5),
    },
    4: {"four_splits": "batch"},
}
# Those that evaluate, predict and are monitored, too, which takes a while.
WHOLE = ("simclr", "moco", "supcon", "cross_entropy")
HALVES = ("mixed_float16", "mixed_bfloat16")


def train(build, strategy, path, whole):
    """What five steps come to, and whether replicas still agree."""
    model, found = five_steps.train(build, strategy, path, whole)
    return {**found, "unequal": unequal_copies(model, strategy)}


def unequal_copies(model, strategy):
    """How many variables are not the same bits on all of these replicas."""
    copies = [
        [each.numpy() for each in strategy.experimental_local_results(v.value)]
        for v in model.variables + model.optimizer.variables
    ]
    return sum(
        any(each.tobytes() != first.tobytes() for each in rest)
        for first, *rest in copies
    )


def train_half(precision, strategy):
    """Losses of steps in half precision, and the size of what was learned."""
    keras.config.set_dtype_policy(precision)
    model = five_steps.compiled(METHODS["moco"], strategy)
    losses = model.fit(IMAGES, batch_size=8, epochs=2, verbose=0).history
    keras.config.set_dtype_policy("float32")
    weights = [np.abs(each).max() for each in model.get_weights()]
    return {"losses": losses["loss"], "weights": weights}


def local_loss(strategy):
    """The loss of rows that are compared within their replica only."""
    build = method("SimCLR", "batch", candidates="local", views="identity")
    model = five_steps.compiled(build, strategy)
    size = 4 * strategy.num_replicas_in_sync
    # As many images as make full batches of each size.
    return model.evaluate(IMAGES[:32], batch_size=size, verbose=0)[0]


def rows_seen(strategy):
    """The labels that each of this process's replicas gets in two epochs."""
    numbers = np.arange(len(IMAGES))
    batches = data.batches(IMAGES[:38], BATCH_SIZE, labels=numbers[:38])
    fed, steps = feed(batches, strategy)
    iterator = iter(fed)
    return [
        [each.numpy() for each in strategy.experimental_local_results(labels)]
        for labels in (next(iterator)["labels"] for _ in range(2 * steps))
    ]


def train_all(strategy, folder, name):
    """Trains every method and writes what came of it."""
    found = {}
    for key, build in METHODS.items():
        path = folder / f"{name}_{key}.keras"
        found[key] = train(build, strategy, path, key in WHOLE)
        gc.collect()
    for key, normalization in LOCAL.get(
        strategy.num_replicas_in_sync, {}
    ).items():
        path = folder / f"{name}_{key}.keras"
        build = method("SimCLR", normalization)
        found[key] = train(build, strategy, path, whole=False)
        gc.collect()
    for precision in HALVES:
        found[precision] = train_half(precision, strategy)
    flat = five_steps.flat(found)
    if strategy.num_replicas_in_sync > 1:
        flat["rows"] = rows_seen(strategy)
    for key, values in values_and_gradients(strategy).items():
        flat.update({f"loss_{key}/{n}": each for n, each in enumerate(values)})
    np.savez(folder / f"{name}.npz", local_loss=local_loss(strategy), **flat)


def main():
    """Trains as the command line says."""
    warnings.simplefilter("ignore")
    folder = pathlib.Path(sys.argv[1])
    numbers = [int(each) for each in sys.argv[2:]]
    if not numbers:
        strategy = distribution.strategy("multi_worker")
        return train_all(strategy, folder, f"worker_{workers.index(strategy)}")
    devices = distribution.logical_cpus(max(numbers))
    hurry()
    for number in numbers:
        train_all(mirrored(devices[:number]), folder, str(number))


def hurry():
    """Leaves out what takes longer than five steps of a small model.

    That is TensorFlow's own passes over a graph, with which the workers train,
    and Python's search for garbage while a graph is made.
    """
    import tensorflow as tf

    tf.config.optimizer.set_experimental_options(
        {"disable_meta_optimizer": True}
    )
    gc.freeze()
    gc.disable()


def mirrored(devices):
    """A strategy on some devices of one process that makes several."""
    if len(devices) == 1:
        return distribution.strategy("one_device", devices)
    import tensorflow as tf

    # Strategies of different sizes would share the keys of their collectives,
    # whose groups then differ in size.
    tf.distribute.MirroredStrategy._collective_key_base += 100
    return distribution.strategy("mirrored", devices)


if __name__ == "__main__":
    main()
