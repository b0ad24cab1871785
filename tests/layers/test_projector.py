"""Projection heads have the layers, sizes and biases that they should."""

import keras
import numpy as np
import pytest

from keras_contrastive.layers import BatchNormalization
from keras_contrastive.layers import RoutedModel
from keras_contrastive.layers import SplitBatchNormalization
from keras_contrastive.layers import projection_head

FEATURES = np.random.default_rng(0).normal(size=(6, 8)).astype("float32")


def kinds(model):
    return [type(layer).__name__ for layer in model.layers[1:]]


def test_none_is_the_identity():
    model = projection_head(None, 8)
    np.testing.assert_array_equal(model(FEATURES), FEATURES)
    assert not model.weights


def test_linear_is_one_matrix():
    model = projection_head("linear", 8, output_dim=3)
    (kernel,) = model.weights
    np.testing.assert_allclose(
        model(FEATURES), FEATURES @ kernel.numpy(), rtol=1e-4, atol=1e-5
    )
    assert projection_head("linear", 8).output_shape == (None, 128)


def test_mlp_has_one_hidden_normalized_layer():
    model = projection_head("mlp", 8, output_dim=3)
    assert kinds(model) == ["Dense", "BatchNormalization", "ReLU", "Dense"]
    hidden, normalization, _, projections = model.layers[1:]
    assert hidden.units == 8 and not hidden.use_bias
    assert type(normalization) is BatchNormalization
    assert projections.units == 3 and not projections.use_bias
    outputs = model(FEATURES, training=True)
    x = FEATURES @ hidden.kernel.numpy()
    x = (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)
    expected = np.maximum(x, 0) @ projections.kernel.numpy()
    np.testing.assert_allclose(outputs, expected, rtol=1e-3, atol=1e-4)


def test_the_output_can_be_normalized_too():
    model = projection_head("mlp", 8, output_dim=3, normalize_output=True)
    assert kinds(model)[-2:] == ["Dense", "BatchNormalization"]
    assert not model.layers[-2].use_bias
    outputs = np.array(model(FEATURES, training=True))
    np.testing.assert_allclose(outputs.mean(0), 0.0, atol=1e-5)
    np.testing.assert_allclose(outputs.std(0), 1.0, atol=1e-2)
    plain = projection_head("mlp", 8, normalization=None, normalize_output=True)
    assert kinds(plain) == ["Dense", "ReLU", "Dense"]


def test_mlp_without_normalization_has_a_bias():
    model = projection_head("mlp", 8, hidden_dim=16, normalization=None)
    assert kinds(model) == ["Dense", "ReLU", "Dense"]
    assert model.layers[1].units == 16 and model.layers[1].use_bias
    assert not model.layers[-1].use_bias


def test_normalization_by_id_gives_the_second_input(tmp_path):
    template = SplitBatchNormalization(2, "ids", split_affine=True)
    model = projection_head("mlp", 8, 3, normalization=template, name="head")
    assert isinstance(model, RoutedModel) and model.name == "head"
    assert [each.name for each in model.inputs] == ["features", "split_ids"]
    ids = np.array([0, 1, 1, 0, 1, 0])
    model([FEATURES, ids], training=True)
    model.save(tmp_path / "head.keras")
    loaded = keras.saving.load_model(tmp_path / "head.keras")
    np.testing.assert_array_equal(loaded(FEATURES), model(FEATURES))
    # A head without normalization has nothing to route to.
    linear = projection_head("linear", 8, normalization=template)
    assert not isinstance(linear, RoutedModel)


def test_other_kinds_are_refused():
    with pytest.raises(ValueError, match="must be .*received 'deep'"):
        projection_head("deep", 8)
