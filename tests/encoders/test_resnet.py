"""Residual networks have the published sizes, and are residual."""

import keras
import numpy as np
import pytest

from keras_contrastive.encoders import resnet18
from keras_contrastive.encoders import resnet34
from keras_contrastive.layers import RoutedModel
from keras_contrastive.layers import SplitBatchNormalization


def trainable_weights(model):
    return sum(int(np.prod(each.shape)) for each in model.trainable_weights)


def counted(blocks, stem):
    """Weights of convolutions and normalizations, block by block."""
    total, channels = stem * 3 * 64 + 2 * 64, 64
    for stage, count in enumerate(blocks):
        filters = 64 * 2**stage
        for _ in range(count):
            total += 9 * channels * filters + 9 * filters**2 + 4 * filters
            if channels != filters:
                total += channels * filters + 2 * filters
            channels = filters
    return total


@pytest.mark.parametrize(
    ("build", "blocks", "published"),
    [
        (resnet18, (2, 2, 2, 2), 11_168_832),
        (resnet34, (3, 4, 6, 3), 21_276_992),
    ],
)
def test_cifar_networks_have_their_weights(build, blocks, published):
    model = build()
    assert counted(blocks, 9) == published
    assert trainable_weights(model) == published
    assert model.output_shape == (None, 512)
    assert model.name == build.__name__


def test_imagenet_stem():
    model = resnet18((64, 64, 3), stem="imagenet")
    # PyTorch's 11,689,512 without the classifier's 513,000.
    assert trainable_weights(model) == counted((2, 2, 2, 2), 49) == 11_176_512
    assert model.get_layer("stem_conv").output.shape == (None, 32, 32, 64)
    assert model.get_layer("stem_pool").output.shape == (None, 16, 16, 64)


def test_stages_halve_the_resolution():
    model = resnet18()
    for stage, size in ((1, 32), (2, 16), (3, 8), (4, 4)):
        output = model.get_layer(f"stage_{stage}_block_2_relu").output
        assert output.shape == (None, size, size, 32 * 2**stage)


def test_blocks_are_residual():
    model = resnet18((8, 8, 3))
    model.get_layer("stage_1_block_1_2_normalization").gamma.assign(
        np.zeros(64)
    )
    inner = keras.Model(
        model.input,
        [
            model.get_layer(name).output
            for name in ("stem_relu", "stage_1_block_1_relu")
        ],
    )
    images = np.random.default_rng(0).uniform(size=(2, 8, 8, 3))
    np.testing.assert_array_equal(*inner(images))


def test_normalization_can_be_chosen():
    assert not resnet18((8, 8, 3)).get_layer("stem_conv").use_bias
    bare = resnet18((8, 8, 3), normalization=None)
    assert bare.get_layer("stage_2_block_1_shortcut_conv").use_bias
    template = SplitBatchNormalization(2, "ids", split_statistics=True)
    routed = resnet18((8, 8, 3), normalization=template)
    assert isinstance(routed, RoutedModel)
    images = np.random.default_rng(0).uniform(size=(4, 8, 8, 3))
    assert routed([images, np.array([0, 1, 0, 1])]).shape == (4, 512)


def test_another_stem_is_refused():
    with pytest.raises(ValueError, match="'imagenet', received 'tiny'"):
        resnet18(stem="tiny")
