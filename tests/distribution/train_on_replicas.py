"""Trains every method under strategies of tf.distribute, and keeps the result.

    python -m tests.distribution.train_on_replicas FOLDER 1 2 4

trains in one process, whose processor TensorFlow takes for four devices, on
one, two and four of them, and writes `FOLDER/1.npz` and so on. Without numbers
it is one of the workers of TF_CONFIG, and writes `FOLDER/worker_0.npz`.

Statistics of batch normalization are synchronized; updates are those of SGD
with momentum, for Adam would make steps of the rounding noise in zero
gradients.
"""

import pathlib
import sys
import warnings

import keras
import numpy as np

from keras_contrastive import callbacks
from keras_contrastive import data
from keras_contrastive import distribution
from keras_contrastive import encoders
from keras_contrastive import layers
from keras_contrastive import models
from keras_contrastive.distribution import workers
from keras_contrastive.distribution.feed import feed
from tests.distribution.losses_on_replicas import values_and_gradients

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), "uint8")
LABELS = np.arange(40) % 4
BATCH_SIZE = 8


def encoder(size=8, normalization="synchronized"):
    """A small network, normalized by the global batch unless told."""
    return encoders.two_conv(
        input_shape=(size, size, 3),
        channels=(4, 6),
        normalization=normalization,
    )


def method(name, normalization="synchronized", **arguments):
    """A function that builds a method's model."""
    arguments = {"projector": "linear", "views": "weak", **arguments}
    return lambda: getattr(models, name)(
        encoder(normalization=normalization), **arguments
    )


def splits(count, assignment="contiguous", synchronized=False):
    """Batch normalization by parts of a batch, local unless told."""
    return layers.SplitBatchNormalization(
        count, assignment, synchronized=synchronized
    )


# Each trains to the same numbers on any number of replicas.
METHODS = {
    "simclr": method("SimCLR"),
    # Adversarial views are a split by id, which spans all replicas.
    "simclr_adversary": method(
        "SimCLR", "batch", adversary=models.Adversary(0.03)
    ),
    "simclr_splits": method("SimCLR", splits(4, synchronized=True)),
    "simclr_chunks": method("SimCLR", chunk_size=5),
    "simclr_interleaved": method("SimCLR", splits(2, "interleaved", True)),
    "moco": method("MoCo", queue_size=24),
    # The queue wraps around in the middle of a batch.
    "moco_symmetric": method("MoCo", queue_size=20, symmetric=True),
    "moco_v3": method("MoCoV3", predictor="linear"),
    "adco": method("AdCo", negatives=20),
    "supcon": method("SupCon"),
    "triplet": method("TripletModel", supervised=False, mining="nonzero"),
    "triplet_labels": method("TripletModel"),
    "siamese": method("Siamese"),
    "siamese_labels": method("Siamese", supervised=True),
    "siamese_composite": method("Siamese", objective="composite"),
    "cpc": lambda: models.CPC(
        encoder(4, "group"), image_shape=(8, 8, 3), patch_size=4
    ),
    "cross_entropy": lambda: models.Classifier(encoder(), 4, fine_tune=True),
}
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


class FirstGradients(keras.callbacks.Callback):
    """What the optimizer made of the first step's gradients."""

    def on_train_batch_end(self, batch, logs=None):
        if batch == 0:
            variables = self.model.optimizer.variables[2:]
            self.found = [np.asarray(each) for each in variables]


def train(build, strategy, path, whole):
    """Figures, first gradients, weights and features of five steps."""
    model = compiled(build, strategy)
    batches = data.batches(IMAGES, BATCH_SIZE, labels=LABELS)
    gradients = FirstGradients()
    options = {"callbacks": [gradients]}
    if whole:
        options["callbacks"].append(
            callbacks.KNNMonitor(IMAGES, LABELS, IMAGES, LABELS, k=3)
        )
        options["validation_data"] = (IMAGES, LABELS)
    history = model.fit(batches, verbose=0, **options).history
    features = np.asarray(model(IMAGES))
    model.save(path)
    found = {
        **{f"figure/{name}": value[0] for name, value in history.items()},
        **{f"gradient/{n}": each for n, each in enumerate(gradients.found)},
        **{f"weight/{n}": w for n, w in enumerate(model.get_weights())},
        "features": features,
        "loaded": np.asarray(keras.saving.load_model(path)(IMAGES)),
        "unequal": unequal_copies(model, strategy),
    }
    if whole:
        # Of 37 images a batch of 16 leaves a rest of 5.
        predicted = model.predict(IMAGES[:37], batch_size=16, verbose=0)
        found["predicted"] = predicted
    return found


def compiled(build, strategy, **options):
    """A model made and compiled in a strategy's scope."""
    with strategy.scope():
        keras.utils.set_random_seed(0)
        model = build()
        model.compile(
            optimizer=keras.optimizers.SGD(0.1, momentum=0.9),
            jit_compile=False,
            **options,
        )
    return model


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
    model = compiled(METHODS["moco"], strategy)
    losses = model.fit(IMAGES, batch_size=8, epochs=2, verbose=0).history
    keras.config.set_dtype_policy("float32")
    weights = [np.abs(each).max() for each in model.get_weights()]
    return {"losses": losses["loss"], "weights": weights}


def local_loss(strategy):
    """The loss of rows that are compared within their replica only."""
    build = method("SimCLR", "batch", candidates="local", views="identity")
    model = compiled(build, strategy)
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
    for key, normalization in LOCAL.get(
        strategy.num_replicas_in_sync, {}
    ).items():
        path = folder / f"{name}_{key}.keras"
        build = method("SimCLR", normalization)
        found[key] = train(build, strategy, path, whole=False)
    for precision in HALVES:
        found[precision] = train_half(precision, strategy)
    flat = {
        f"{key}/{what}": value
        for key, values in found.items()
        for what, value in values.items()
    }
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
    for number in numbers:
        train_all(mirrored(devices[:number]), folder, str(number))


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
