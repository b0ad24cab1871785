"""Gradients on any backend, by the one way in which models have them too."""

import keras
from keras import ops

from keras_contrastive.models.backend_step import backend_step


def gradients(function, *arrays):
    """Gradients of a function with respect to each of its arguments.

    Args:
        function: from tensors to a scalar.
        *arrays: its arguments, floats.

    Returns:
        List of NumPy arrays.
    """
    tensors = [ops.convert_to_tensor(each) for each in arrays]

    def of_one(index):
        def alone(tensor):
            return function(*tensors[:index], tensor, *tensors[index + 1 :])

        return backend_step().input_gradient(alone, tensors[index])

    found = [of_one(index) for index in range(len(tensors))]
    return [ops.convert_to_numpy(each) for each in found]


def of_a_layer(layer, inputs, *arguments, upstream):
    """A training step of a layer: what comes out, and all gradients.

    Args:
        layer: built keras.layers.Layer.
        inputs: float array, of the dtype that outputs are weighted in.
        *arguments: further inputs, that have no gradient.
        upstream: float array, the gradient of the outputs.

    Returns:
        Outputs, and a list of the gradients of the inputs and of the trainable
        weights, all of them NumPy arrays. The layer's state has moved once.
    """
    state = [each.value for each in layer.non_trainable_variables]
    weights = [each.value for each in layer.trainable_variables]
    upstream = ops.convert_to_tensor(upstream)

    def loss(inputs, *weights):
        outputs, _ = layer.stateless_call(
            list(weights), state, inputs, *arguments, training=True
        )
        return ops.sum(ops.cast(outputs, upstream.dtype) * upstream)

    found = gradients(loss, inputs, *weights)
    outputs = layer(ops.convert_to_tensor(inputs), *arguments, training=True)
    if keras.backend.backend() == "torch":
        outputs = outputs.detach()
    return outputs, found
