import keras
import numpy as np
import pytest

from keras_contrastive import optimizers
from tests.optimizers.checks import problem
from tests.optimizers.checks import trained


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("decay_vectors", [False, True])
def test_ten_steps(momentum, nesterov, decay_vectors):
    weights, gradients = problem()
    optimizer = optimizers.SGD(
        0.1, momentum, 0.05, nesterov, decay_vectors=decay_vectors
    )
    found = trained(optimizer, weights, gradients)
    velocities = [np.zeros_like(each) for each in weights]
    for step in gradients:
        for index, gradient in enumerate(step):
            decays = weights[index].ndim > 1 or decay_vectors
            gradient = gradient + 0.05 * decays * weights[index]
            velocities[index] = momentum * velocities[index] - 0.1 * gradient
            moved = velocities[index]
            if nesterov and momentum:
                moved = momentum * velocities[index] - 0.1 * gradient
            weights[index] = weights[index] + moved
    for one, other in zip(found, weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_without_decay_it_is_keras():
    weights, gradients = problem()
    found = trained(optimizers.SGD(0.1, 0.9), weights, gradients)
    expected = trained(keras.optimizers.SGD(0.1, 0.9), weights, gradients)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_twice_the_rate_and_half_the_decay_are_twice_the_loss():
    """How recipes whose loss is a sum are had with a mean."""
    weights, gradients = problem()
    doubled = [[2 * each for each in step] for step in gradients]
    found = trained(optimizers.SGD(0.12, 0.9, 0.025), weights, gradients)
    expected = trained(optimizers.SGD(0.06, 0.9, 0.05), weights, doubled)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_it_survives_serialization():
    optimizer = optimizers.SGD(0.1, 0.8, 5e-4, True, decay_vectors=False)
    copy = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert type(copy) is optimizers.SGD
    assert copy.get_config() == optimizer.get_config()
    weights, gradients = problem()
    for one, other in zip(
        trained(copy, weights, gradients),
        trained(optimizer, weights, gradients),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


def test_a_negative_weight_decay_is_refused():
    with pytest.raises(ValueError, match="`weight_decay`.*-0.1"):
        optimizers.SGD(weight_decay=-0.1)
