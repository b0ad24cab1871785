import numpy as np
import pytest
from keras import ops

from keras_contrastive import evaluation
from keras_contrastive import losses
from tests.gradients import gradients
from tests.losses.checks import check_gradient
from tests.losses.checks import check_serialization
from tests.losses.checks import random_embeddings
from tests.losses.checks import unit


@pytest.mark.parametrize("alpha", [1, 2, 3.5])
def test_equals_the_formula(alpha):
    first, second = random_embeddings(6, 4), random_embeddings(6, 4, seed=1)
    rows = losses.alignment(first, second, alpha)
    expected = np.linalg.norm(unit(first) - unit(second), axis=1) ** alpha
    np.testing.assert_allclose(rows, expected, rtol=1e-5)
    loss = losses.Alignment(alpha)
    np.testing.assert_allclose(loss(first, second), expected.mean(), rtol=1e-5)


def test_it_is_what_the_evaluation_measures():
    first, second = random_embeddings(6, 4), random_embeddings(6, 4, seed=1)
    found = float(losses.Alignment()(first, second))
    np.testing.assert_allclose(
        found, evaluation.alignment(first, second), rtol=1e-5
    )


@pytest.mark.parametrize("alpha", [1, 2, 3.5])
def test_gradients(alpha):
    arrays = [random_embeddings(4, 3, seed, "float64") for seed in range(2)]
    check_gradient(lambda *each: losses.alignment(*each, alpha), *arrays)
    ones = np.ones((2, 3), "float32")
    for gradient in gradients(
        lambda *each: ops.sum(losses.alignment(*each, alpha)), ones, ones
    ):
        assert np.isfinite(gradient).all()


def test_it_survives_serialization():
    check_serialization(losses.Alignment(3.0, name="mine"))


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="`alpha`.*0.5"):
        losses.Alignment(0.5)
    with pytest.raises(ValueError, match=r"\(4, 2\) and \(3, 2\)"):
        losses.alignment(np.ones((4, 2)), np.ones((3, 2)))
