"""A model once more, with weights of its own."""

import keras


def copied(model):
    """Copies a model, weights included; the two share nothing.

    Args:
        model: built keras.Model.

    Returns:
        keras.Model of the same architecture and weights.
    """
    config = keras.saving.serialize_keras_object(model)
    copy = keras.saving.deserialize_keras_object(config)
    copy.set_weights(model.get_weights())
    _finalize(copy)
    return copy


def _finalize(layer):
    """Has preprocessing that was adapted go by the weights it was given."""
    if hasattr(layer, "finalize_state"):
        layer.finalize_state()
    for inner in getattr(layer, "layers", ()):
        _finalize(inner)
