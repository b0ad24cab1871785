import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive import losses
from tests.losses.checks import check_gradient
from tests.losses.checks import check_serialization

POSITIVE = np.array([0.3, -1.0, 4.0, 0.0])
NEGATIVE = np.array([0.1, 2.0, -3.0, 0.0])


@pytest.mark.parametrize("margin", [None, 0.0, 1.0, 3.0])
def test_equals_the_formula(margin):
    rows = losses.pair_discrimination(POSITIVE, NEGATIVE, margin)
    truth, lie = (1 / (1 + np.exp(-each)) for each in (POSITIVE, NEGATIVE))
    expected = -np.log(truth) - np.log(1 - lie)
    if margin is not None:
        expected += np.maximum(0, margin + NEGATIVE - POSITIVE)
    np.testing.assert_allclose(rows, expected, rtol=1e-6)
    loss = losses.PairDiscrimination(margin)
    np.testing.assert_allclose(
        loss(NEGATIVE[:, None], POSITIVE[:, None]), expected.mean(), rtol=1e-6
    )


def test_large_scores_do_not_overflow():
    scores = ops.cast(np.array([1e4, -1e4]), "float16")
    rows = losses.pair_discrimination(scores, -scores, margin=1.0)
    assert keras.backend.standardize_dtype(rows.dtype) == "float32"
    np.testing.assert_allclose(rows, [0.0, 4e4 + 1], rtol=1e-3)


def test_gradient_equals_finite_differences():
    check_gradient(
        lambda *each: losses.pair_discrimination(*each, 1.1), POSITIVE, NEGATIVE
    )


def test_it_survives_serialization():
    check_serialization(losses.PairDiscrimination(None, name="mine"))


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r"\(4,\) and \(3,\)"):
        losses.pair_discrimination(POSITIVE, NEGATIVE[:3])
    with pytest.raises(ValueError, match="`margin`.*-1"):
        losses.PairDiscrimination(-1)
