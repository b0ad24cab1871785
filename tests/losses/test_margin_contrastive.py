import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive import losses
from tests.gradients import gradients
from tests.losses.checks import check_gradient
from tests.losses.checks import check_serialization
from tests.losses.checks import random_embeddings

SAME = np.array([1, 0, 0, 1, 0, 1], "float32")


def pairs(dtype="float32"):
    return [random_embeddings(6, 4, seed, dtype) for seed in range(2)]


@pytest.mark.parametrize("margin", [0.0, 1.0, 4.0])
def test_equals_the_formula(margin):
    first, second = pairs()
    rows = losses.margin_contrastive(SAME, first, second, margin)
    expected = []
    for same, one, other in zip(SAME, first, second):
        distance = np.sqrt(((one - other) ** 2).sum())
        alike = 0.5 * distance**2
        different = 0.5 * max(margin - distance, 0) ** 2
        expected.append(alike if same else different)
    np.testing.assert_allclose(rows, expected, rtol=1e-5)


def test_what_it_gives_at_distance_zero_and_at_the_margin():
    zeros = np.zeros((2, 3), "float32")
    rows = losses.margin_contrastive([1, 0], zeros, zeros, margin=2.0)
    np.testing.assert_allclose(rows, [0.0, 2.0])
    apart = zeros + np.array([2.0, 0.0, 0.0], "float32")
    rows = losses.margin_contrastive([1, 0], zeros, apart, margin=2.0)
    np.testing.assert_allclose(rows, [2.0, 0.0])


def test_gradients():
    check_gradient(
        lambda *each: losses.margin_contrastive(SAME, *each, 4.0),
        *pairs("float64"),
    )
    zeros = np.zeros((6, 4), "float32")
    for gradient in gradients(
        lambda *each: ops.sum(losses.margin_contrastive(SAME, *each)),
        zeros,
        zeros,
    ):
        np.testing.assert_array_equal(gradient, 0.0)


def test_half_precision_is_raised():
    first, second = (ops.cast(200 * each, "float16") for each in pairs())
    rows = losses.margin_contrastive(SAME, first, second)
    assert keras.backend.standardize_dtype(rows.dtype) == "float32"
    assert np.isfinite(ops.convert_to_numpy(rows)).all()


def test_the_loss_takes_pairs_stacked():
    first, second = pairs()
    loss = losses.MarginContrastive(3.0)
    expected = ops.mean(losses.margin_contrastive(SAME, first, second, 3.0))
    for same in (SAME, SAME[:, None]):
        found = loss(same, np.stack([first, second], axis=1))
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    check_serialization(losses.MarginContrastive(3.0, name="mine"))


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="`margin`.*-1"):
        losses.margin_contrastive([1], np.ones((1, 2)), np.ones((1, 2)), -1)
    with pytest.raises(ValueError, match="`margin`.*None"):
        losses.MarginContrastive(None)
    ones = np.ones((3, 2))
    for same, message in (
        ([1, 0], "2 for 3 pairs"),
        (np.array([[1, 0, 1, 1]]), "4 for 3 pairs"),
        ([1, -1, 1], "from -1 to 1"),
        (np.array([0, 2, 1]), "from 0 to 2"),
        (np.array([0.0, np.nan, 1.0]), "nan"),
    ):
        with pytest.raises(ValueError, match=f"`same`.*{message}"):
            losses.margin_contrastive(same, ones, ones)
    with pytest.raises(ValueError, match=r"\(4, 2\) and \(3, 2\)"):
        losses.margin_contrastive([1], np.ones((4, 2)), np.ones((3, 2)))
