"""What a model takes as its encoder, its projector and its choices."""

from keras_contrastive import layers


def make_projector(projector, encoder):
    """The projector that an argument means, a keras.Model or None.

    Args:
        projector: `"linear"`, `"mlp"`, None, or a keras.Model.
        encoder: the model whose features it projects.

    Returns:
        keras.Model, or None.

    Raises:
        ValueError: for a model that takes no features of that width.
    """
    if isinstance(projector, str):
        return layers.projection_head(
            projector,
            encoder.output_shape[-1],
            normalization=head_normalization(encoder),
        )
    if projector is not None:
        _check_width(projector, encoder.output_shape[-1])
    return projector


def head_normalization(encoder):
    """How a head that is named is normalized: as far as its encoder is.

    Args:
        encoder: keras.Model.

    Returns:
        `"synchronized"` if a layer of the encoder goes by the rows of all
        replicas, else `"batch"`.
    """
    is_global = any(
        getattr(layer, "is_global", getattr(layer, "synchronized", False))
        for layer in encoder._flatten_layers()
    )
    return "synchronized" if is_global else "batch"


def check_encoder(encoder):
    """Refuses an encoder that is not built or gives no feature vector.

    Args:
        encoder: keras.Model.

    Raises:
        ValueError: if its output is not `(batch, dim)`.
    """
    is_built = getattr(encoder, "built", False)
    shape = getattr(encoder, "output_shape", None) if is_built else None
    if not isinstance(shape, tuple) or len(shape) != 2:
        raise ValueError(
            "`encoder` must be a built model that gives one feature vector "
            f"an image, (batch, dim); received the output shape {shape}; end "
            "it in a pooling layer, such as GlobalAveragePooling2D."
        )


def _check_width(projector, width):
    inputs = getattr(projector, "inputs", None)
    taken = inputs[0].shape[-1] if inputs else None
    if taken not in (None, width):
        raise ValueError(
            f"`projector` must take the {width} numbers of a feature of "
            f"`encoder`, received one that takes {taken}; "
            f"layers.projection_head('mlp', {width}) makes one."
        )


def check_choice(name, value, choices):
    """Refuses a value that is not offered.

    Args:
        name: str, the argument's name.
        value: what was received.
        choices: tuple of str.

    Raises:
        ValueError: if the value is none of the choices.
    """
    if value not in choices:
        raise ValueError(
            f"`{name}` must be one of {', '.join(choices)}, received {value!r}."
        )
