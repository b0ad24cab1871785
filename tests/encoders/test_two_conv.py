"""The study's network has the layers, sizes and weights that it should."""

import keras
import numpy as np
import pytest

from keras_contrastive.encoders import two_conv
from keras_contrastive.layers import RoutedModel
from keras_contrastive.layers import SplitBatchNormalization

IMAGES = np.random.default_rng(0).uniform(size=(4, 8, 8, 3)).astype("float32")


def test_defaults_are_those_of_the_study():
    model = two_conv()
    assert model.input_shape == (None, 32, 32, 3)
    assert model.output_shape == (None, 128)
    assert model.count_params() == 27 * 64 + 4 * 64 + 576 * 128 + 4 * 128
    assert [layer.name for layer in model.layers] == [
        "images",
        "conv_1",
        "normalization_1",
        "relu_1",
        "conv_2",
        "normalization_2",
        "relu_2",
        "features",
    ]
    assert model.get_layer("conv_1").output.shape == (None, 16, 16, 64)
    assert model.get_layer("conv_2").output.shape == (None, 8, 8, 128)


def test_features_are_a_mean_of_rectified_normalized_values():
    model = two_conv((8, 8, 3), channels=(5,), strides=(1,))
    x = np.asarray(model.get_layer("conv_1")(IMAGES))
    mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
    x = np.maximum((x - mean) / np.sqrt(variance + 1e-5), 0)
    np.testing.assert_allclose(
        model(IMAGES, training=True), x.mean((1, 2)), rtol=1e-3, atol=1e-5
    )


@pytest.mark.parametrize("normalization", ["batch", "group", None])
def test_a_bias_stands_only_where_no_normalization_follows(normalization):
    model = two_conv((8, 8, 3), (4, 6), normalization=normalization)
    for name in ("conv_1", "conv_2"):
        assert model.get_layer(name).use_bias == (normalization is None)


def test_everything_can_be_chosen():
    model = two_conv(
        (None, None, 1),
        channels=(2, 3, 4),
        kernel_size=5,
        strides=(1, 2, 1),
        normalization="batch_renorm",
        name="three",
    )
    assert model.name == "three"
    assert model(np.ones((2, 10, 6, 1))).shape == (2, 4)
    assert model.get_layer("conv_3").kernel.shape == (5, 5, 3, 4)


@pytest.mark.parametrize("assignment", ["contiguous", "ids"])
def test_it_is_saved_and_loaded(assignment, tmp_path):
    template = SplitBatchNormalization(2, assignment, split_statistics=True)
    model = two_conv((8, 8, 3), (4, 6), normalization=template)
    routed = assignment == "ids"
    assert isinstance(model, RoutedModel) == routed
    inputs = [IMAGES, np.array([0, 1, 1, 0])] if routed else IMAGES
    model(inputs, training=True)
    model.save(tmp_path / "encoder.keras")
    loaded = keras.saving.load_model(tmp_path / "encoder.keras")
    for each in (IMAGES, inputs):
        np.testing.assert_array_equal(loaded(each), model(each))


@pytest.mark.parametrize(
    ("channels", "strides"), [((4, 6), (2,)), ((4,), (2, 2)), ((), ())]
)
def test_unequal_lengths_are_refused(channels, strides):
    with pytest.raises(ValueError, match="`channels` and `strides`"):
        two_conv(channels=channels, strides=strides)
