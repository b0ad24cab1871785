"""Existing models get split statistics, and lose them again for export."""

import keras
import numpy as np
import pytest

from keras_contrastive.encoders import two_conv
from keras_contrastive.layers import BatchNormalization
from keras_contrastive.layers import BatchRenormalization
from keras_contrastive.layers import RoutedModel
from keras_contrastive.layers import SplitBatchNormalization
from keras_contrastive.layers import convert_to_split_batch_normalization
from keras_contrastive.layers import fold_split_batch_normalization

OWN = {"split_affine": True, "split_statistics": True}
IDS = np.array([0, 1, 1, 0], "int32")


def with_random_weights(model, seed=0):
    """Weights as training leaves them, so that no two are alike."""
    generator = np.random.default_rng(seed)
    for weight in model.weights:
        spread = generator.uniform(0.5, 1.5, size=weight.shape)
        if weight.name in ("gamma", "moving_variance"):
            weight.assign(spread)
        elif weight.name in ("beta", "moving_mean"):
            weight.assign(spread - 1.0)
    return model


def images_for(model, seed=0):
    shape = (4, *model.inputs[0].shape[1:])
    values = np.random.default_rng(seed).uniform(size=shape)
    return values.astype("float32")


def small_network():
    return two_conv((8, 8, 3), (4, 6), normalization="batch")


def sequential():
    return keras.Sequential(
        [
            keras.Input((6, 6, 3)),
            keras.layers.Conv2D(4, 3),
            keras.layers.BatchNormalization(center=False),
            keras.layers.Flatten(),
        ],
        name="sequential",
    )


def nested():
    """A model in a model, and one layer used twice."""
    images = keras.Input((6, 6, 3), name="pictures")
    inner = sequential()
    twice = keras.layers.BatchNormalization()
    x = inner(keras.layers.Rescaling(2.0)(images))
    x = keras.layers.Add()([twice(x), twice(x * 0.5)])
    return keras.Model(images, {"features": x}, name="outer")


def mobile_net():
    return keras.applications.MobileNetV2(
        (32, 32, 3), alpha=0.35, weights=None, include_top=False, pooling="avg"
    )


def res_net():
    return keras.applications.ResNet50(
        input_shape=(32, 32, 3), weights=None, include_top=False, pooling="avg"
    )


MODELS = [small_network, sequential, nested, mobile_net, res_net]


def outputs_of(model, inputs, **arguments):
    (outputs,) = keras.tree.flatten(model(inputs, **arguments))
    return np.asarray(outputs)


def close(found, expected):
    scale = np.max(np.abs(expected))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5 * scale)


def all_layers(model):
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from all_layers(layer)
        else:
            yield layer


def normalizations(model):
    return [
        layer
        for layer in all_layers(model)
        if isinstance(layer, keras.layers.BatchNormalization)
    ]


@pytest.mark.parametrize("build", MODELS)
def test_conversion_changes_nothing_before_training(build):
    model = with_random_weights(build())
    images = images_for(model)
    expected = outputs_of(model, images)
    converted = convert_to_split_batch_normalization(model, 2, "ids", **OWN)
    assert isinstance(converted, RoutedModel)
    assert converted.name == model.name
    assert [each.name for each in converted.inputs] == [
        model.inputs[0].name,
        "split_ids",
    ]
    for inputs in (images, [images, IDS]):
        close(outputs_of(converted, inputs), expected)
    found, originals = normalizations(converted), normalizations(model)
    for one, other in zip(found, originals, strict=True):
        assert type(one) is SplitBatchNormalization
        assert one.name == other.name and one.epsilon == other.epsilon
        assert (one.center, one.scale) == (other.center, other.scale)
        assert one.moving_mean.shape == (2, *other.moving_mean.shape)
    # The original is as it was.
    close(outputs_of(model, images), expected)


@pytest.mark.parametrize("build", [small_network, sequential, nested])
@pytest.mark.parametrize("assignment", ["contiguous", "ids"])
@pytest.mark.parametrize("arguments", [OWN, {}], ids=["own", "shared"])
def test_folding_keeps_what_was_learned(build, assignment, arguments, tmp_path):
    model = with_random_weights(build())
    images = images_for(model)
    converted = convert_to_split_batch_normalization(
        model, 2, assignment, **arguments
    )
    inputs = [images, IDS] if assignment == "ids" else images
    before = outputs_of(converted, images)
    outputs_of(converted, inputs, training=True)
    expected = outputs_of(converted, images)
    assert not np.allclose(expected, before, rtol=1e-3)

    folded = fold_split_batch_normalization(converted)
    assert [each.name for each in folded.inputs] == [model.inputs[0].name]
    close(outputs_of(folded, images), expected)
    for layer in normalizations(folded):
        assert type(layer) is keras.layers.BatchNormalization
    folded.save(tmp_path / "folded.keras")
    text = (tmp_path / "folded.keras").read_bytes()
    assert b"keras_contrastive" not in text
    loaded = keras.saving.load_model(tmp_path / "folded.keras")
    close(outputs_of(loaded, images), expected)
    # Unfolded it can be saved as well.
    converted.save(tmp_path / "converted.keras")
    loaded = keras.saving.load_model(tmp_path / "converted.keras")
    close(outputs_of(loaded, images), expected)


@pytest.mark.parametrize("aggregation", ["mean", "pooled"])
def test_one_branch_can_be_kept(aggregation):
    template = SplitBatchNormalization(3, "ids", True, True, aggregation)
    model = two_conv((8, 8, 3), (4, 6), normalization=template)
    with_random_weights(model)
    images = images_for(model)
    folded = fold_split_batch_normalization(model)
    close(folded(images), np.asarray(model(images)))
    for split in range(3):
        folded = fold_split_batch_normalization(model, split=split)
        expected = np.asarray(model([images, np.full(4, split)]))
        close(folded(images), expected)
    with pytest.raises(ValueError, match="`split` must be .* received 3"):
        fold_split_batch_normalization(model, split=3)


@pytest.mark.parametrize("name", ["batch", "batch_renorm"])
def test_folding_leaves_this_package_behind(name):
    model = with_random_weights(two_conv((8, 8, 3), (4, 6), normalization=name))
    images = images_for(model)
    folded = fold_split_batch_normalization(model)
    for layer in normalizations(folded):
        assert type(layer) is keras.layers.BatchNormalization
        assert not layer.renorm
    close(folded(images), np.asarray(model(images)))


def test_conversion_keeps_the_layers_configuration():
    images = keras.Input((4,))
    layer = keras.layers.BatchNormalization(
        momentum=0.7,
        epsilon=0.01,
        scale=False,
        beta_regularizer=keras.regularizers.L2(0.1),
        dtype="mixed_bfloat16",
        name="normalize",
    )
    model = keras.Model(images, layer(images))
    converted = convert_to_split_batch_normalization(
        model, 2, "interleaved", aggregation="pooled", synchronized=True
    )
    found = converted.get_layer("normalize")
    assert (found.momentum, found.epsilon, found.gamma) == (0.7, 0.01, None)
    assert found.beta_regularizer.l2 == pytest.approx(0.1)
    assert found.dtype_policy.name == "mixed_bfloat16"
    assert (found.assignment, found.aggregation, found.synchronized) == (
        "interleaved",
        "pooled",
        True,
    )


def test_a_fixed_training_argument_stays():
    images = keras.Input((4,))
    outputs = keras.layers.BatchNormalization()(images, training=True)
    converted = convert_to_split_batch_normalization(
        keras.Model(images, outputs), 2, "ids"
    )
    outputs = np.asarray(converted([images_for(converted), IDS]))
    for split in (0, 1):
        mean = outputs[IDS == split].mean(0)
        np.testing.assert_allclose(mean, np.zeros(4), atol=1e-5)


def test_models_that_cannot_be_converted_are_refused():
    class Subclassed(keras.Model):
        pass

    one, other = keras.Input((4,)), keras.Input((4,))
    added = keras.layers.BatchNormalization()(one + other)
    renorm = keras.Sequential(
        [keras.Input((4,)), keras.layers.BatchNormalization(renorm=True)]
    )
    split = keras.Sequential(
        [keras.Input((4,)), SplitBatchNormalization(2, "contiguous")]
    )
    for model, message in (
        (Subclassed(), "must be a functional model.*Subclassed"),
        (keras.Model(one, one * 2.0), "must hold a BatchNormalization"),
        (keras.Model([one, other], added), "must have one input.*received 2"),
        (renorm, "plain BatchNormalization only"),
        (split, "plain BatchNormalization only.*SplitBatchNormalization"),
    ):
        with pytest.raises(ValueError, match=message):
            convert_to_split_batch_normalization(model, 2, "ids")


def test_renormalization_is_not_split():
    model = keras.Sequential([keras.Input((4,)), BatchRenormalization()])
    with pytest.raises(ValueError, match="BatchRenormalization; fold"):
        convert_to_split_batch_normalization(model, 2)


def test_ours_is_converted_too():
    model = keras.Sequential([keras.Input((4,)), BatchNormalization()])
    converted = convert_to_split_batch_normalization(model, 2)
    assert type(converted.layers[-1]) is SplitBatchNormalization


def test_momentum_is_kept_or_replaced():
    model = two_conv(input_shape=(8, 8, 3), channels=(4, 8))
    for given, expected in ((None, 0.9), (0.5, 0.5)):
        converted = convert_to_split_batch_normalization(
            model, 2, momentum=given
        )
        found = {
            layer.momentum
            for layer in converted.layers
            if isinstance(layer, SplitBatchNormalization)
        }
        assert found == {expected}


def test_what_is_out_of_reach_is_named():
    inputs = keras.Input((3, 4))
    hidden = keras.layers.BatchNormalization(name="hidden")
    x = keras.layers.TimeDistributed(hidden)(inputs)
    outputs = keras.layers.BatchNormalization(name="open")(x)
    model = keras.Model(inputs, outputs, name="wrapped")
    with pytest.warns(UserWarning, match="^hidden of wrapped stays plain"):
        converted = convert_to_split_batch_normalization(model, 2)
    assert isinstance(converted.get_layer("open"), SplitBatchNormalization)


def test_no_warning_where_all_are_converted(recwarn):
    inner = small_network()
    inputs = keras.Input((8, 8, 3))
    outputs = keras.layers.BatchNormalization()(inner(inputs))
    convert_to_split_batch_normalization(keras.Model(inputs, outputs), 2)
    assert not [each for each in recwarn if "stays plain" in str(each.message)]
