"""Split batch normalization in models that exist, and out of them again."""

import warnings

import keras
import numpy as np

from keras_contrastive.layers.batch_normalization import BatchNormalization
from keras_contrastive.layers.rebuild import as_functional
from keras_contrastive.layers.rebuild import input_like
from keras_contrastive.layers.rebuild import rebuild
from keras_contrastive.layers.routed_model import RoutedModel
from keras_contrastive.layers.routed_model import split_ids_input
from keras_contrastive.layers.split_batch_normalization import (
    SplitBatchNormalization,
)
from keras_contrastive.layers.split_batch_normalization import pooled_moments

_WEIGHTS = ("gamma", "beta", "moving_mean", "moving_variance")
_COMMON_CONFIG = (
    "name",
    "trainable",
    "dtype",
    "axis",
    "momentum",
    "epsilon",
    "center",
    "scale",
    *(f"{weight}_initializer" for weight in _WEIGHTS),
    "beta_regularizer",
    "gamma_regularizer",
    "beta_constraint",
    "gamma_constraint",
)


def convert_to_split_batch_normalization(
    model,
    num_splits,
    assignment="contiguous",
    split_affine=False,
    split_statistics=False,
    aggregation="mean",
    synchronized=False,
    momentum=None,
):
    """Returns the model with every BatchNormalization made a split one.

    All weights are kept; what each split has of its own begins as a copy. So
    the new model's inference is that of the old until it is trained. Names,
    momentum, epsilon, initializers, regularizers and constraints stay. Models
    within the model are converted as well; a BatchNormalization inside
    another kind of layer is not reached, and a warning names it.

    Args:
        model: functional or sequential `keras.Model`; it is left as it is.
        num_splits: int > 0.
        assignment: `"contiguous"`, `"interleaved"` or `"ids"`; as all that
            follow, see `SplitBatchNormalization`.
        split_affine: bool.
        split_statistics: bool.
        aggregation: `"mean"` or `"pooled"`.
        synchronized: bool.
        momentum: float in [0, 1], of the moving statistics; None keeps each
            layer's own. Backbones of `keras.applications` have 0.99 to
            0.999, which takes thousands of steps to forget where it began.

    Returns:
        A new functional model; with `"ids"` a `RoutedModel`, which has the
        optional second input `"split_ids"`.

    Raises:
        ValueError: if the model holds no BatchNormalization to convert, one
            that is split already or uses `renorm`, or, with `"ids"`, if it
            has several inputs.

    Example:

    >>> encoder = two_conv(input_shape=(8, 8, 3), channels=(4, 8))
    >>> encoder = convert_to_split_batch_normalization(encoder, 2, "ids")
    >>> images = np.random.default_rng(0).uniform(size=(4, 8, 8, 3))
    >>> tuple(encoder([images, np.array([0, 0, 1, 1])]).shape)
    (4, 8)
    """
    arguments = {
        "num_splits": num_splits,
        "assignment": assignment,
        "split_affine": split_affine,
        "split_statistics": split_statistics,
        "aggregation": aggregation,
        "synchronized": synchronized,
    }
    if momentum is not None:
        arguments["momentum"] = momentum
    model = as_functional(model)
    reached = _batch_normalizations(model)
    if not reached:
        raise ValueError(
            f"`model` must hold a BatchNormalization, received {model.name}, "
            "which has none that a conversion can reach."
        )
    left = [
        layer.name
        for layer in model._flatten_layers(include_self=False)
        if isinstance(layer, keras.layers.BatchNormalization)
        and not any(layer is each for each in reached)
    ]
    if left:
        warnings.warn(
            f"{', '.join(left)} of {model.name} stays plain, inside a layer "
            "that is no model; a functional model in its place is converted.",
            stacklevel=2,
        )
    return _convert(model, arguments)


def fold_split_batch_normalization(model, split=None):
    """Returns the model with plain Keras BatchNormalization, for export.

    Each `SplitBatchNormalization` becomes a `keras.layers.BatchNormalization`
    that gives the same outputs in inference; so do this package's other batch
    normalizations. The folded model has no input of split ids, and its file
    can be read without this package, unless other layers need it.

    Args:
        model: functional or sequential `keras.Model`; it is left as it is.
        split: None for what inference without ids is, or an int in 0 ..
            num_splits - 1 for that split's branch (AdvProp keeps split 0).

    Returns:
        A new functional model with the data as its only input.

    Raises:
        ValueError: for a split that a layer does not have, or a model that
            is neither functional nor sequential.

    Example:

    >>> encoder = two_conv(normalization=SplitBatchNormalization(2, "ids"))
    >>> [each.name for each in fold_split_batch_normalization(encoder).inputs]
    ['images']
    """
    return _fold(as_functional(model), split)


def _convert(model, arguments):
    split_ids = split_ids_input() if arguments["assignment"] == "ids" else None

    def replace(layer):
        if isinstance(layer, keras.Model):
            if _batch_normalizations(layer):
                return _convert(as_functional(layer), arguments)
            return None
        if isinstance(layer, keras.layers.BatchNormalization):
            return _split_layer(layer, arguments)
        return None

    def call(old, new, *args, **kwargs):
        if isinstance(new, SplitBatchNormalization):
            return new(args[0], split_ids, **_without_mask(kwargs))
        if isinstance(new, RoutedModel):
            return new([args[0], split_ids], **_without_mask(kwargs))
        return new(*args, **kwargs)

    inputs = [input_like(each) for each in model.inputs]
    if split_ids is None:
        outputs = rebuild(model, inputs, replace, _copy_to_splits, call)
        inputs = keras.tree.pack_sequence_as(model.input, inputs)
        return keras.Model(inputs, outputs, name=model.name)
    if len(inputs) > 1:
        raise ValueError(
            "`model` must have one input for assignment='ids', received "
            f"{len(inputs)}; the ids become the second."
        )
    inputs.append(split_ids)
    outputs = rebuild(model, inputs, replace, _copy_to_splits, call)
    return RoutedModel(inputs, outputs, name=model.name)


def _fold(model, split):
    def replace(layer):
        if isinstance(layer, keras.Model):
            return _fold(as_functional(layer), split)
        if isinstance(layer, BatchNormalization):
            return _plain_layer(layer)
        return None

    def copy(old, new):
        _assign(new, _folded_weights(old, split))

    def call(old, new, *args, **kwargs):
        if isinstance(old, BatchNormalization):
            return new(args[0], **_without_mask(kwargs))
        if isinstance(old, RoutedModel):
            return new(args[0][0], **_without_mask(kwargs))
        return new(*args, **kwargs)

    inputs = [input_like(each) for each in model.inputs]
    outputs = rebuild(model, inputs, replace, copy, call)
    if isinstance(model, RoutedModel):
        return keras.Model(inputs[0], outputs, name=model.name)
    inputs = keras.tree.pack_sequence_as(model.input, inputs)
    return keras.Model(inputs, outputs, name=model.name)


def _split_layer(layer, arguments):
    if layer.renorm or isinstance(layer, SplitBatchNormalization):
        raise ValueError(
            "`model` must hold plain BatchNormalization only, received "
            f"{layer.name}, a {type(layer).__name__}; fold or replace it."
        )
    return SplitBatchNormalization(**{**_config(layer), **arguments})


def _plain_layer(layer):
    config = _config(layer)
    if _is_split(layer):
        # A mean of affine maps is not centred or of unit scale.
        config = {**config, "center": True, "scale": True}
    return keras.layers.BatchNormalization(**config)


def _config(layer):
    """What split and plain batch normalization have in common."""
    config = layer.get_config()
    return {key: config[key] for key in _COMMON_CONFIG}


def _copy_to_splits(old, new):
    _assign(new, [getattr(old, name) for name in _WEIGHTS])


def _assign(layer, values):
    for name, value in zip(_WEIGHTS, values):
        weight = getattr(layer, name)
        if weight is not None:
            value = keras.ops.convert_to_numpy(value)
            weight.assign(np.broadcast_to(value, weight.shape))


def _folded_weights(layer, split):
    """Weights of the plain layer that infers like one branch or their mean."""
    weights = [getattr(layer, name) for name in _WEIGHTS]
    if not _is_split(layer):
        return weights
    mean, variance = pooled_moments(*weights[2:])
    scale, offset = layer.inference_map(split)
    deviation = keras.ops.sqrt(variance + layer.epsilon)
    return scale * deviation, offset + mean * scale, mean, variance


def _is_split(layer):
    return isinstance(layer, SplitBatchNormalization) and layer.num_splits > 1


def _without_mask(kwargs):
    return {key: kwargs[key] for key in kwargs if key != "mask"}


def _batch_normalizations(model):
    """Those of a model, and of the models within it."""
    found = []
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            found.append(layer)
        elif isinstance(layer, keras.Model):
            found += _batch_normalizations(layer)
    return found
