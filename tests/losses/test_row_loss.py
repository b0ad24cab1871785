import numpy as np
import pytest
from keras import ops

from keras_contrastive.losses.row_loss import RowLoss
from tests.gradients import gradients


class Weighted(RowLoss):
    """The squares of what is predicted, weighted by what is true."""

    def rows(self, y_true, y_pred):
        return ops.square(y_pred), y_true


def test_it_is_the_weighted_mean():
    weights = np.array([0.0, 2.0, 1.0, 0.0], "float32")
    values = np.array([9.0, 2.0, 5.0, 7.0], "float32")
    found = float(Weighted()(weights, values))
    np.testing.assert_allclose(found, (2 * 4 + 25) / 3, rtol=1e-6)
    summed = float(Weighted(reduction="sum")(weights, values))
    np.testing.assert_allclose(summed, 4 * found, rtol=1e-6)


def test_without_any_weight_it_is_zero_with_a_gradient():
    zeros, values = np.zeros(3, "float32"), np.ones(3, "float32")
    assert float(Weighted()(zeros, values)) == 0.0
    gradient = gradients(lambda each: Weighted()(zeros, each), values)[0]
    np.testing.assert_array_equal(gradient, 0.0)


def test_a_subclass_must_state_its_rows():
    with pytest.raises(NotImplementedError):
        RowLoss()(np.ones(2), np.ones(2))
