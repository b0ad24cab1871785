"""Trains every method on several devices of JAX, and keeps the result.

    KERAS_BACKEND=jax python -m tests.distribution.train_on_jax_devices FOLDER

trains in one process, whose processor JAX takes for four devices, without a
distribution and on four devices, a few methods on two as well, and writes
`FOLDER/1.npz` and so on.
"""

import contextlib
import pathlib
import sys
import warnings

import keras
import numpy as np

from keras_contrastive import distribution
from keras_contrastive import models
from keras_contrastive.models.backend_step import backend_step
from tests.distribution import five_steps
from tests.small_methods import BATCH_SIZE
from tests.small_methods import IMAGES
from tests.small_methods import METHODS
from tests.small_methods import method

WHOLE = ("moco", "cross_entropy")
ON_TWO = ("simclr", "moco")


def of_keras():
    """SimCLR on an encoder of Keras's own normalization and dropout."""
    encoder = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Conv2D(6, 3, strides=2, use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.Dropout(0.3),
            keras.layers.GlobalAveragePooling2D(),
        ]
    )
    return models.SimCLR(encoder, projector="linear", views="weak")


ALL = {**METHODS, "of_keras": of_keras}


def in_one_execution(strategy):
    """The weights after five steps that are compiled as one program."""
    # On a processor they would be run one by one.
    backend_step().has_accelerator = lambda: True
    model = five_steps.compiled(
        METHODS["simclr"], strategy, steps_per_execution=5
    )
    model.fit(IMAGES, batch_size=BATCH_SIZE, verbose=0)
    return {f"weight/{n}": w for n, w in enumerate(model.get_weights())}


def outside(model, compile_within, fit_within):
    """Fits a model that was made outside of the scope it is used in."""
    with compile_within:
        optimizer = keras.optimizers.SGD(0.1)
    with fit_within:
        model.compile(optimizer=optimizer)
        model.fit(IMAGES, batch_size=BATCH_SIZE, verbose=0)


def refusals(strategy, devices):
    """What is said to each slip."""
    nothing = contextlib.nullcontext()
    with strategy.scope():
        ours, local = (
            method("SimCLR", None, candidates=each)()
            for each in ("global", "local")
        )
        for model in (ours, local):
            model.compile("sgd")
    layouts = keras.distribution.LayoutMap(strategy.device_mesh)
    sharded = keras.distribution.ModelParallel(layout_map=layouts)
    with sharded.scope():
        theirs = method("SimCLR", None)()
    single = method("SimCLR", None)()
    slips = {
        "batch": lambda: ours.fit(IMAGES, batch_size=6),
        "evaluate": lambda: ours.evaluate(IMAGES, batch_size=6),
        "placed": lambda: ours.fit(IMAGES, data_on_device=True),
        "candidates": lambda: local.fit(IMAGES, batch_size=BATCH_SIZE),
        "optimizer": lambda: outside(ours, nothing, strategy.scope()),
        "model": lambda: outside(single, strategy.scope(), strategy.scope()),
        "predict": lambda: within(strategy, lambda: single.predict(IMAGES)),
        "sharded": lambda: outside(theirs, sharded.scope(), nothing),
        "name": lambda: distribution.strategy("mirrored"),
        "device": lambda: distribution.strategy("data_parallel", ["cpu:9"]),
        "twice": lambda: distribution.strategy(
            "data_parallel", [devices[0]] * 2
        ),
        "late": lambda: distribution.logical_cpus(2),
    }
    return {name: said(slip) for name, slip in slips.items()}


def within(strategy, act):
    """Does something in a strategy's scope."""
    with strategy.scope():
        return act()


def said(slip):
    """The sentence by which something is refused."""
    try:
        slip()
    except (ValueError, RuntimeError) as error:
        return str(error)
    return "nothing"


def devices_of(model):
    """On how many devices each variable of a model is."""
    optimizer = getattr(model.optimizer, "variables", [])
    variables = [*model.variables, *optimizer]
    return [len(variable.value.devices()) for variable in variables]


def main():
    """Trains all there is, on one, two and four devices."""
    warnings.simplefilter("ignore")
    folder = pathlib.Path(sys.argv[1])
    devices = distribution.logical_cpus(4)
    for count, names in ((1, ALL), (4, ALL), (2, ON_TWO)):
        strategy = None
        if count > 1:
            strategy = distribution.strategy("data_parallel", devices[:count])
        found = {}
        for name in names:
            path = folder / f"{count}_{name}.keras"
            whole = name in WHOLE and count != 2
            model, found[name] = five_steps.train(
                ALL[name], strategy, path, whole
            )
            found[name]["devices"] = devices_of(model)
        if count != 2:
            found["in_one_execution"] = in_one_execution(strategy)
        if count == 4:
            found["refused"] = refusals(strategy, devices)
        np.savez(folder / f"{count}.npz", **five_steps.flat(found))


if __name__ == "__main__":
    main()
