"""Floating-point operations of training, counted by hand."""

import keras
import numpy as np

VIEWS = 2
# Gradients of a layer's inputs and of its weights are a forward pass each;
# that the first layer needs but one of them is left out.
PASSES = 3


def of_an_image(encoder):
    """Operations that a step takes for an image, those of convolutions.

    A multiplication and its addition are two. Normalization, the head and the
    loss are left out.

    Args:
        encoder: keras.Model, functional.

    Returns:
        float.
    """
    multiplications = 0
    for layer in encoder.layers:
        if isinstance(layer, keras.layers.Conv2D):
            _, height, width, _ = layer.output.shape
            multiplications += height * width * np.prod(layer.kernel.shape)
    return 2.0 * PASSES * VIEWS * float(multiplications)
