"""Residual networks for small and large images.

He et al., 2016, with the stem that CIFAR's 32 x 32 pixels want: one 3 x 3
convolution of stride 1 and no max-pooling.
"""

import keras

from keras_contrastive.layers import NormalizationFactory

_STEMS = ("cifar", "imagenet")


def resnet18(
    input_shape=(32, 32, 3),
    stem="cifar",
    normalization="batch",
    name="resnet18",
):
    """Builds a ResNet-18, of 11,168,832 trainable weights.

    Convolutions have no bias, unless there is no normalization.

    Args:
        input_shape: tuple of ints, (height, width, colors).
        stem: `"cifar"`, a 3 x 3 convolution of stride 1, or `"imagenet"`, a
            7 x 7 convolution of stride 2 and 3 x 3 max-pooling of stride 2.
        normalization: `"batch"`, `"synchronized"`, `"split"`,
            `"batch_renorm"`, `"group"`, `"none"` or None, or a layer as
            template; see `layers.NormalizationFactory`.
        name: str.

    Returns:
        A `keras.Model` from float images `(batch, *input_shape)` in [0, 1] to
        features `(batch, 512)`. If the normalization routes rows by id, a
        `layers.RoutedModel`, with the optional second input `"split_ids"`.

    Example:

    >>> encoder = resnet18()
    >>> sum(np.prod(each.shape) for each in encoder.trainable_weights).item()
    11168832

    Reference:
        [He et al., 2016](https://arxiv.org/abs/1512.03385).
    """
    return _resnet((2, 2, 2, 2), input_shape, stem, normalization, name)


def resnet34(
    input_shape=(32, 32, 3),
    stem="cifar",
    normalization="batch",
    name="resnet34",
):
    """Builds a ResNet-34, of 21,276,992 trainable weights.

    Args:
        input_shape: tuple of ints, (height, width, colors).
        stem: `"cifar"` or `"imagenet"`, as for `resnet18`.
        normalization: as for `resnet18`.
        name: str.

    Returns:
        A `keras.Model` as that of `resnet18`, with features `(batch, 512)`.

    Example:

    >>> resnet34(normalization="group").output_shape
    (None, 512)

    Reference:
        [He et al., 2016](https://arxiv.org/abs/1512.03385).
    """
    return _resnet((3, 4, 6, 3), input_shape, stem, normalization, name)


def _resnet(blocks, input_shape, stem, normalization, name):
    if stem not in _STEMS:
        raise ValueError(
            f"`stem` must be 'cifar' or 'imagenet', received {stem!r}; "
            "'cifar' is for images of about 32 pixels."
        )
    normalize = NormalizationFactory(normalization)
    images = keras.Input(input_shape, name="images")
    x = _stem(images, stem, normalize)
    for stage, count in enumerate(blocks):
        for block in range(count):
            stride = 2 if stage > 0 and block == 0 else 1
            place = f"stage_{stage + 1}_block_{block + 1}"
            x = _basic_block(x, 64 * 2**stage, stride, normalize, place)
    features = keras.layers.GlobalAveragePooling2D(name="features")(x)
    return normalize.model(images, features, name)


def _stem(images, stem, normalize):
    if stem == "cifar":
        x = _convolution(images, 64, 3, 1, normalize, "stem")
        return keras.layers.ReLU(name="stem_relu")(x)
    x = _convolution(images, 64, 7, 2, normalize, "stem")
    x = keras.layers.ReLU(name="stem_relu")(x)
    return keras.layers.MaxPooling2D(3, 2, padding="same", name="stem_pool")(x)


def _basic_block(x, filters, stride, normalize, place):
    """Two 3 x 3 convolutions, and the shortcut around them."""
    shortcut = x
    if stride > 1 or x.shape[-1] != filters:
        shortcut = _convolution(
            x, filters, 1, stride, normalize, f"{place}_shortcut"
        )
    x = _convolution(x, filters, 3, stride, normalize, f"{place}_1")
    x = keras.layers.ReLU(name=f"{place}_1_relu")(x)
    x = _convolution(x, filters, 3, 1, normalize, f"{place}_2")
    x = keras.layers.Add(name=f"{place}_add")([x, shortcut])
    return keras.layers.ReLU(name=f"{place}_relu")(x)


def _convolution(x, filters, size, stride, normalize, place):
    x = keras.layers.Conv2D(
        filters,
        size,
        strides=stride,
        padding="same",
        use_bias=normalize.is_none,
        kernel_initializer="he_normal",
        name=f"{place}_conv",
    )(x)
    return normalize(x, name=f"{place}_normalization")
