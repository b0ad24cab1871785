"""The study's network: convolution, normalization, ReLU, twice, and a mean."""

import keras

from keras_contrastive.layers import NormalizationFactory


def two_conv(
    input_shape=(32, 32, 3),
    channels=(64, 128),
    kernel_size=3,
    strides=(2, 2),
    normalization="batch",
    name="two_conv",
):
    """Builds a small convolutional encoder.

    Each entry of `channels` is one block of convolution, normalization and
    ReLU; global average pooling makes features of the last block. A
    convolution has a bias only where no normalization follows it.

    Args:
        input_shape: tuple of ints, (height, width, colors); either of the
            first two may be None.
        channels: tuple of ints, the filters of each convolution.
        kernel_size: int, height and width of the kernels in pixels.
        strides: tuple of ints, of the same length as `channels`.
        normalization: `"batch"`, `"synchronized"`, `"split"`,
            `"batch_renorm"`, `"group"`, `"none"` or None, or a layer as
            template; see `layers.NormalizationFactory`.
        name: str.

    Returns:
        A `keras.Model` from float images `(batch, *input_shape)` in [0, 1] to
        features `(batch, channels[-1])`. If the normalization routes rows by
        id, a `layers.RoutedModel`, with the optional second input
        `"split_ids"`.

    Raises:
        ValueError: if `channels` and `strides` do not have the same length.

    Example:

    >>> encoder = two_conv()
    >>> images = np.random.default_rng(0).uniform(size=(4, 32, 32, 3))
    >>> tuple(encoder(images).shape)
    (4, 128)
    """
    if len(channels) != len(strides) or not channels:
        raise ValueError(
            "`channels` and `strides` must have one entry for each "
            f"convolution, received {tuple(channels)} and {tuple(strides)}."
        )
    normalize = NormalizationFactory(normalization)
    images = keras.Input(input_shape, name="images")
    x = images
    for block, (filters, stride) in enumerate(zip(channels, strides), 1):
        x = keras.layers.Conv2D(
            filters,
            kernel_size,
            strides=stride,
            padding="same",
            use_bias=normalize.is_none,
            kernel_initializer="he_normal",
            name=f"conv_{block}",
        )(x)
        x = normalize(x, name=f"normalization_{block}")
        x = keras.layers.ReLU(name=f"relu_{block}")(x)
    features = keras.layers.GlobalAveragePooling2D(name="features")(x)
    return normalize.model(images, features, name)
