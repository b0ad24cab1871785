"""A small problem, and what an optimizer makes of it."""

import keras
import numpy as np


def problem(seed=0):
    """Weights and ten gradients, of a matrix, a vector and a number."""
    generator = np.random.default_rng(seed)

    def draw(shape):
        return np.asarray(generator.normal(size=shape))

    weights = [draw(shape) for shape in [(3, 2), (4,), ()]]
    gradients = [[draw(each.shape) for each in weights] for _ in range(10)]
    return weights, gradients


def trained(optimizer, weights, gradients, names=(None, None, None)):
    variables = [
        keras.Variable(each, dtype="float32", name=name)
        for each, name in zip(weights, names)
    ]
    for step in gradients:
        optimizer.apply([each.astype("float32") for each in step], variables)
    return [np.array(each.value) for each in variables]
