"""A small problem, and what an optimizer makes of it."""

import keras
import numpy as np


def problem(seed=0):
    """Weights and ten gradients, of a matrix and a vector."""
    generator = np.random.default_rng(seed)
    weights = [generator.normal(size=shape) for shape in [(3, 2), (4,)]]
    gradients = [
        [generator.normal(size=each.shape) for each in weights]
        for _ in range(10)
    ]
    return weights, gradients


def trained(optimizer, weights, gradients):
    variables = [keras.Variable(each, dtype="float32") for each in weights]
    for step in gradients:
        optimizer.apply([each.astype("float32") for each in step], variables)
    return [np.array(each.value) for each in variables]
