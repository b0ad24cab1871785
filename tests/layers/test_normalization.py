"""One argument says how a network normalizes."""

import keras
import numpy as np
import pytest

from keras_contrastive.layers import BatchNormalization
from keras_contrastive.layers import BatchRenormalization
from keras_contrastive.layers import NormalizationFactory
from keras_contrastive.layers import RoutedModel
from keras_contrastive.layers import SplitBatchNormalization


def network(normalization):
    normalize = NormalizationFactory(normalization)
    inputs = keras.Input((4, 4, 48), name="images")
    x = normalize(inputs, name="first")
    x = normalize(x, name="second")
    return normalize.model(inputs, x, name="network")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("batch", BatchNormalization),
        ("synchronized", BatchNormalization),
        ("split", SplitBatchNormalization),
        ("batch_renorm", BatchRenormalization),
        ("group", keras.layers.GroupNormalization),
    ],
)
def test_names_mean_layers(name, expected):
    model = network(name)
    first, second = model.layers[1:]
    assert type(first) is type(second) is expected
    assert (first.name, second.name) == ("first", "second")
    assert first is not second and first.epsilon == 1e-5
    assert not NormalizationFactory(name).is_none
    assert type(model) is type(network("none"))


@pytest.mark.parametrize("name", ["batch", "synchronized"])
def test_replicas_are_synchronized_if_asked(name):
    layer = network(name).get_layer("second")
    assert layer.synchronized == (name == "synchronized")


def test_split_is_ten_contiguous_splits():
    layer = network("split").get_layer("first")
    assert (layer.num_splits, layer.assignment) == (10, "contiguous")


@pytest.mark.parametrize(("channels", "groups"), [(64, 32), (48, 16), (3, 1)])
def test_groups_divide_the_channels(channels, groups):
    normalize = NormalizationFactory("group")
    inputs = keras.Input((4, 4, channels))
    model = normalize.model(inputs, normalize(inputs, name="group"), "model")
    assert model.get_layer("group").groups == groups


@pytest.mark.parametrize("name", ["none", None])
def test_none_leaves_inputs_alone(name):
    model = network(name)
    assert NormalizationFactory(name).is_none
    assert not model.weights
    images = np.ones((2, 4, 4, 48), "float32")
    np.testing.assert_array_equal(model(images), images)


def test_a_layer_is_the_template_of_every_place():
    template = SplitBatchNormalization(
        3, "interleaved", split_affine=True, momentum=0.7, name="template"
    )
    first, second = network(template).layers[1:]
    for layer, name in ((first, "first"), (second, "second")):
        assert layer is not template
        config = {**template.get_config(), "name": name}
        assert layer.get_config() == config


def test_a_template_that_routes_makes_a_model_that_routes():
    model = network(SplitBatchNormalization(3, "ids", split_statistics=True))
    assert isinstance(model, RoutedModel)
    assert [each.name for each in model.inputs] == ["images", "split_ids"]
    images = np.random.default_rng(0).normal(size=(4, 4, 4, 48))
    model([images, np.array([0, 2, 2, 0])], training=True)
    for layer in model.layers[-2:]:
        moved = np.any(layer.moving_mean.numpy() != 0.0, axis=1)
        np.testing.assert_array_equal(moved, [True, False, True])


def test_a_routing_template_without_a_place_makes_a_plain_model():
    normalize = NormalizationFactory(SplitBatchNormalization(3, "ids"))
    inputs = keras.Input((3,))
    model = normalize.model(inputs, keras.layers.ReLU()(inputs), "model")
    assert not isinstance(model, RoutedModel)


def test_other_names_are_refused():
    with pytest.raises(
        ValueError, match="'batch', 'synchronized'.*received 'layer'"
    ):
        NormalizationFactory("layer")
