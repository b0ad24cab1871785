"""Every loss and its gradient on the backend in use."""

import numpy as np
from keras import ops

from keras_contrastive.models.backend_step import backend_step
from tests.distribution.losses_on_replicas import COUNT
from tests.distribution.losses_on_replicas import LOSSES
from tests.distribution.losses_on_replicas import SCORES
from tests.distribution.losses_on_replicas import VIEWS
from tests.distribution.losses_on_replicas import Share

INPUTS = np.concatenate([VIEWS.ravel(), SCORES.ravel()])


def values_and_gradients():
    """By the name of a loss: its value, and the gradient of all inputs."""
    found = {}
    for name, loss in LOSSES.items():

        def value_of(inputs, loss=loss):
            return _mean(loss(_share(inputs)))

        inputs = ops.convert_to_tensor(INPUTS)
        gradient = backend_step().input_gradient(value_of, inputs)
        found[f"{name}/gradient"] = ops.convert_to_numpy(gradient)
        found[f"{name}/value"] = ops.convert_to_numpy(value_of(inputs))
    return found


def _share(inputs):
    views = ops.reshape(inputs[: VIEWS.size], VIEWS.shape)
    scores = ops.reshape(inputs[VIEWS.size :], SCORES.shape)
    positions = ops.arange(COUNT, dtype="int32")
    return Share(*ops.unstack(views), *ops.unstack(scores), positions)


def _mean(rows):
    rows, weights = rows if isinstance(rows, tuple) else (rows, None)
    weights = ops.ones_like(rows) if weights is None else weights
    return ops.sum(rows * weights) / ops.sum(weights)
