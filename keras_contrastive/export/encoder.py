"""The encoder alone: uint8 images in, features out."""

import keras

from keras_contrastive import layers


def encoder(model):
    """Takes the encoder out of a model, ready to be saved and used.

    The scaling of pixels is inside, and split batch normalization is folded
    into plain batch normalization, so that a reader needs to know neither.

    Args:
        model: a contrastive model, or its encoder: images `(N, H, W, C)` in
            [0, 1] to features `(N, dim)`.

    Returns:
        keras.Model from uint8 images `(N, H, W, C)` in 0..255 to features
        `(N, dim)`; save it by `.save("encoder.keras")`.

    Example:

    ```python
    export.encoder(model).save("encoder.keras")
    features = keras.saving.load_model("encoder.keras").predict(images)
    ```
    """
    inner = getattr(model, "encoder", model)
    split = getattr(model, "inference_split", None)
    inner = layers.fold_split_batch_normalization(inner, split)
    images = keras.Input(inner.input_shape[1:], dtype="uint8", name="images")
    pixels = keras.layers.Rescaling(
        1.0 / 255, dtype="float32", name="unit_range"
    )(images)
    return keras.Model(images, inner(pixels), name=f"{inner.name}_export")
