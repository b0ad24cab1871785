"""The graph of a functional model, built anew with other layers in it."""

import keras

from keras_contrastive.layers.routed_model import split_ids_input


def rebuild(model, inputs, replace, copy, call):
    """Builds the model's graph anew on new inputs, and copies its weights.

    Args:
        model: functional or sequential model.
        inputs: list of new inputs, the model's own and, if wanted, split ids.
        replace: function from a layer to the new one in its place, or None
            for a copy of it. A model that it returns has its weights already.
        copy: function of an old and a new layer that copies the weights.
        call: function of an old and a new layer and the latter's arguments.

    Returns:
        The new outputs.
    """
    old_of, replaced = {}, []

    def clone(layer):
        new = replace(layer)
        if new is None:
            new = type(layer).from_config(layer.get_config())
        else:
            replaced.append(new)
        old_of[new] = layer
        return new

    # Cloning takes exactly the inputs that a model has, used or not.
    added = [split_ids_input() for _ in inputs[len(model.inputs) :]]
    model = keras.Model([*model.inputs, *added], model.output)
    outputs = keras.models.clone_model(
        model,
        input_tensors=inputs,
        clone_function=clone,
        call_function=lambda new, *args, **kwargs: call(
            old_of[new], new, *args, **kwargs
        ),
    ).output
    for new, old in old_of.items():
        if new not in replaced:
            _copy_variables(old, new)
        elif not isinstance(new, keras.Model):
            copy(old, new)
    return outputs


def as_functional(model):
    """Makes a functional model of a sequential one; others stay as they are.

    Args:
        model: keras.Model.

    Returns:
        Functional keras.Model, of the same layers.

    Raises:
        ValueError: for a model that has no graph of layers, or none yet.
    """
    if not getattr(model, "inputs", None):
        raise ValueError(
            "`model` must be a functional model or a built sequential one, "
            f"received a {type(model).__name__}; only their graphs are known."
        )
    if isinstance(model, keras.Sequential):
        return keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    return model


def input_like(tensor):
    """Makes a new input of a model, for one that is there.

    Args:
        tensor: keras.KerasTensor.

    Returns:
        keras.KerasTensor of the same shape, dtype and name.
    """
    return keras.Input(
        batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name
    )


def _copy_variables(old, new):
    variables = getattr(old, "variables", ())  # Operations have none.
    for source, target in zip(variables, getattr(new, "variables", ())):
        # Its own array: JAX deletes what it was lent for a step.
        target.assign(keras.ops.copy(source.value))
    if hasattr(new, "finalize_state"):  # Preprocessing that was adapted.
        new.finalize_state()
