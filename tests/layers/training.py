"""What layers are trained on and compared by, shared by their tests."""

import numpy as np
from keras import ops

from tests import gradients


def random_inputs(shape, seed=0):
    """Normal numbers whose mean and spread differ from channel to channel."""
    generator = np.random.default_rng(seed)
    spread = np.linspace(0.5, 3.0, shape[-1])
    values = generator.normal(size=shape) * spread + spread[::-1]
    return values.astype("float32")


def train(layer, shape, steps=4):
    """Outputs, gradients and weights after some steps on random batches."""
    layer.build(shape)
    for index, weight in enumerate(layer.trainable_weights):
        weight.assign(random_inputs(weight.shape, seed=10 + index))
    found = []
    for step in range(steps):
        inputs = random_inputs(shape, seed=step)
        upstream = random_inputs(shape, seed=100 + step)
        outputs, its_gradients = gradients.of_a_layer(
            layer, inputs, upstream=upstream
        )
        found += [outputs, *its_gradients]
    found.append(layer(inputs, training=False))
    # A layer's own count of steps has no counterpart in others.
    weights = [each for each in layer.weights if each.name != "step"]
    return [
        ops.convert_to_numpy(ops.cast(each, "float32"))
        for each in (*found, *weights)
    ]
