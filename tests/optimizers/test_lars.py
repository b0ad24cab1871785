import keras
import numpy as np
import pytest

from keras_contrastive import optimizers
from tests.optimizers.checks import problem
from tests.optimizers.checks import trained


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("weight_decay", [0.0, 0.05])
def test_ten_steps(nesterov, weight_decay):
    weights, gradients = problem()
    optimizer = optimizers.LARS(0.5, 0.9, weight_decay, 0.02, nesterov)
    found = trained(optimizer, weights, gradients)
    velocities = [np.zeros_like(each) for each in weights]
    for step in gradients:
        for index, gradient in enumerate(step):
            weight = weights[index]
            if weight.ndim > 1:
                norm = np.linalg.norm(weight)
                trust = 0.02 * norm
                trust /= np.linalg.norm(gradient) + weight_decay * norm
                gradient = trust * (gradient + weight_decay * weight)
            velocities[index] = 0.9 * velocities[index] + 0.5 * gradient
            moved = velocities[index]
            if nesterov:
                moved = 0.9 * moved + 0.5 * gradient
            weights[index] = weight - moved
    for one, other in zip(found, weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_names_do_not_matter():
    """A matrix called a bias is a matrix."""
    weights, gradients = problem()
    found = [
        trained(optimizers.LARS(0.5, 0.9, 0.05), weights, gradients, names)
        for names in (("kernel", "bias", "scale"), ("bias", "kernel", "kernel"))
    ]
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_layer_moves_by_a_share_of_its_length():
    weights, gradients = problem()
    optimizer = optimizers.LARS(1.0, 0.0, 0.0, trust_coefficient=0.01)
    found = trained(optimizer, weights, gradients[:1])
    moved = np.linalg.norm(found[0] - weights[0])
    expected = 0.01 * np.linalg.norm(weights[0])
    np.testing.assert_allclose(moved, expected, rtol=1e-4)


@pytest.mark.parametrize("zero", ["weights", "gradient"])
def test_zeros_have_trust_one(zero):
    ones = np.ones((2, 2))
    weights = [ones * (zero != "weights")]
    gradients = [[ones * (zero != "gradient")]]
    found = trained(optimizers.LARS(0.1, 0.0, 0.0), weights, gradients)
    expected = weights[0] - 0.1 * gradients[0][0]
    np.testing.assert_allclose(found[0], expected)


def test_it_survives_serialization():
    optimizer = optimizers.LARS(0.1, 0.8, 5e-4, 0.01, True)
    copy = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert type(copy) is optimizers.LARS
    assert copy.get_config() == optimizer.get_config()


@pytest.mark.parametrize(
    ("name", "value"),
    [("weight_decay", -1), ("momentum", 1.0), ("trust_coefficient", 0)],
)
def test_numbers_out_of_range_are_refused(name, value):
    with pytest.raises(ValueError, match=f"`{name}`.*{value}"):
        optimizers.LARS(**{name: value})
