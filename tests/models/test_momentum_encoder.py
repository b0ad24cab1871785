import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive import layers
from keras_contrastive.models.momentum_encoder import check_momentum
from keras_contrastive.models.momentum_encoder import follow
from keras_contrastive.models.momentum_encoder import frozen_copy
from tests.models.checks import encoder
from tests.models.checks import images
from tests.models.checks import weights_of

NORMALIZATIONS = {
    "batch": lambda: "batch",
    "ids": lambda: layers.SplitBatchNormalization(2, "ids"),
    "none": lambda: "none",
}


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_a_copy_is_exact_and_does_not_train(normalization):
    model = encoder(NORMALIZATIONS[normalization]())
    ids = np.arange(24) % 2
    layers.call_routed(model, images() / 255.0, ids, training=True)
    copy = frozen_copy(model)
    assert not copy.trainable_variables
    assert all(layer.trainable for layer in copy.layers)
    for one, other in zip(weights_of(model), weights_of(copy), strict=True):
        np.testing.assert_array_equal(one, other)
    before = [each.path for each in model.trainable_variables]
    assert len(before) > 0


def test_a_copy_normalizes_by_its_batch_and_keeps_its_own_statistics():
    model = encoder()
    copy = frozen_copy(model)
    pixels = images() / 255.0
    training = ops.convert_to_numpy(copy(pixels, training=True))
    expected = ops.convert_to_numpy(model(pixels, training=True))
    np.testing.assert_allclose(training, expected, rtol=1e-5)
    moved = [
        np.abs(ops.convert_to_numpy(layer.moving_mean)).max()
        for layer in copy.layers
        if hasattr(layer, "moving_mean")
    ]
    assert len(moved) == 2 and min(moved) > 0


def test_after_n_steps_towards_the_same_place():
    model, momentum = encoder(), 0.8
    copy = frozen_copy(model)
    start = weights_of(copy)
    for variable in model.variables:
        variable.assign(variable + 1.0)
    for _ in range(5):
        follow(copy, model, momentum)
    kept = momentum**5
    for before, goal, found, variable in zip(
        start, weights_of(model), weights_of(copy), model.weights, strict=True
    ):
        expected = kept * before + (1 - kept) * goal
        if not variable.trainable:
            expected = before
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_statistics_follow_where_asked():
    model = encoder()
    copy = frozen_copy(model)
    for variable in model.non_trainable_variables:
        variable.assign(variable + 1.0)
    follow(copy, model, 0.0, statistics=True)
    for one, other in zip(weights_of(model), weights_of(copy), strict=True):
        np.testing.assert_array_equal(one, other)


def test_no_model_has_no_copy():
    assert frozen_copy(None) is None
    assert follow(None, None, 0.9) is None


def test_a_model_of_keras_applications_can_be_copied():
    model = keras.applications.MobileNet(
        input_shape=(32, 32, 3), alpha=0.25, include_top=False, weights=None,
        pooling="avg",
    )  # fmt: skip
    copy = frozen_copy(model)
    pixels = np.random.default_rng(0).random((2, 32, 32, 3))
    np.testing.assert_allclose(copy(pixels), model(pixels), rtol=1e-6)


@pytest.mark.parametrize("momentum", [-0.1, 1.1, float("nan"), "0.9", None])
def test_a_momentum_out_of_range_is_refused(momentum):
    with pytest.raises(ValueError, match=f"`momentum`.*{momentum}"):
        check_momentum(momentum)
