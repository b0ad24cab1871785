"""Builds what recipes ask for, without training, and says what it is.

    python -m tests.experiments.describe_recipes RECIPE ...

prints JSON: recipe -> a dict of what its model, views and optimizer are. A
script of its own, because scripts share their flags' names. The dataset has
as many images as CIFAR-10, all of them black.
"""

import copy
import json
import pathlib
import sys

import numpy as np
from absl import flags

from experiments import build_model
from experiments import method_run
from experiments import pretrain_flags
from experiments import study_data
from experiments import training_flags
from keras_contrastive import data
from keras_contrastive import layers

BLACK = {
    name: data.Split(
        np.zeros((count, 32, 32, 3), "uint8"), np.arange(count) % 10
    )
    for name, count in (("train", 50_000), ("test", 10_000))
}


def described(recipe):
    """What is built from a recipe's flags."""
    values = copy.deepcopy(flags.FLAGS)
    values(["pretrain", f"--flagfile={recipe}"])
    pretrain_flags.check(values)
    study_data.data.load = lambda name, **_: data.Dataset(name, **BLACK)
    cut = study_data.load("cifar10", None, 32, values.data_split)
    (method,) = pretrain_flags.method_names(values)
    model = method_run._model(method, 0, cut, values)
    batches = method_run._batches(method, 0, cut, values)
    model.check_batches(batches)
    steps = values.epochs * len(batches)
    rate = training_flags.value_of(values, "learning_rate")
    build_model.compile_model(model, values, rate, steps)
    config = model.get_config()
    optimizer = model.optimizer
    return {
        "class": type(model).__name__,
        **{
            name: config.get(name)
            for name in ("temperature", "momentum", "queue_size", "symmetric")
        },
        "images": len(cut.train),
        "batch": batches.batch_size,
        "steps": len(batches),
        "epochs": values.epochs,
        "weights": sum(
            int(np.prod(each.shape)) for each in model.encoder.trainable_weights
        ),
        "head": [_layer(each) for each in model.projector.layers[1:]],
        "splits": sorted(
            {
                each.num_splits
                for each in model.encoder._flatten_layers()
                if isinstance(each, layers.SplitBatchNormalization)
            }
        ),
        "views": {
            type(each).__name__: each.get_config()
            for each in model.policies[0].transformations
        },
        "optimizer": type(optimizer).__name__,
        "optimizer_momentum": optimizer.momentum,
        "weight_decay": optimizer.coupled_weight_decay,
        "rates": [
            float(optimizer._learning_rate(int(share * steps)))
            for share in (0, 0.05, 0.25, 0.5, 0.65, 0.85, 1)
        ],
        "precision": values.precision,
    }


def _layer(layer):
    units = getattr(layer, "units", "")
    return f"{type(layer).__name__}{units}"


if __name__ == "__main__":
    recipes = [pathlib.Path(path) for path in sys.argv[1:]]
    print(json.dumps({each.name: described(each) for each in recipes}))
