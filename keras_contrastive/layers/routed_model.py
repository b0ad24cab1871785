"""Functional models whose normalization sends each row to a split by its id.

Such a model has two inputs, the data and `"split_ids"`, the second optional.
"""

import keras
import numpy as np

SPLIT_IDS = "split_ids"


@keras.saving.register_keras_serializable(package="keras_contrastive")
class RoutedModel(keras.Model):
    """A functional model with an optional second input of split ids.

    It is called with data alone, `model(images)`, or with ids, `model([images,
    split_ids])`; dictionaries by the inputs' names serve as well. So do
    `predict`, `fit` and `evaluate`.

    Args:
        inputs: list of two inputs, the data and
            `keras.Input((), dtype="int32", name="split_ids")`.
        outputs: the outputs.
        name: str.
        **kwargs: the other arguments of `keras.Model`.

    Example:

    >>> encoder = two_conv(normalization=SplitBatchNormalization(2, "ids"))
    >>> images = np.random.default_rng(0).uniform(size=(4, 32, 32, 3))
    >>> tuple(encoder(images).shape)
    (4, 128)
    >>> ids = np.array([0, 0, 1, 1])
    >>> tuple(encoder([images, ids], training=True).shape)
    (4, 128)
    """

    def __init__(self, inputs, outputs, name=None, **kwargs):
        super().__init__(inputs, outputs, name=name, **kwargs)
        # Cloning loses what makes an input optional, so it is set here.
        self.get_layer(SPLIT_IDS).optional = True

    def __call__(self, inputs, *args, **kwargs):
        data, split_ids = self._as_pair(inputs)
        if isinstance(split_ids, np.ndarray):
            check_split_ids(split_ids, num_splits_by_id(self))
        return super().__call__([data, split_ids], *args, **kwargs)

    def call(self, inputs, training=None, mask=None, **kwargs):
        # On JAX `predict` and `fit` come here, past `__call__`.
        pair = self._as_pair(inputs)
        return super().call(pair, training=training, mask=mask, **kwargs)

    def compute_output_spec(self, inputs, training=None, mask=None):
        # Keras' own looks at the shape of each input, None included.
        data, _ = self._as_pair(inputs)
        batch_size = data.shape[0]
        return keras.tree.map_structure(
            lambda output: keras.KerasTensor(
                (batch_size, *output.shape[1:]), output.dtype
            ),
            self.output,
        )

    def _as_pair(self, inputs):
        if isinstance(inputs, dict):
            data = inputs[self.inputs[0].name]
            return [data, inputs.get(SPLIT_IDS)]
        if isinstance(inputs, (list, tuple)):
            data, *split_ids = inputs
            return [data, *(split_ids or [None])]
        return [inputs, None]


def split_ids_input():
    """Makes the second input of a `RoutedModel`.

    Returns:
        A symbolic int32 tensor `(rows,)`, the split of each row, optional and
        named `"split_ids"`.
    """
    return keras.Input((), dtype="int32", name=SPLIT_IDS, optional=True)


def routes_by_ids(model):
    """Returns whether a model has the input `"split_ids"`.

    Args:
        model: a built `keras.Model`.

    Returns:
        bool.
    """
    inputs = getattr(model, "inputs", None) or ()
    return any(each.name == SPLIT_IDS for each in inputs)


def num_splits_by_id(model):
    """How many splits the ids of a model choose from.

    Args:
        model: a `keras.Model`.

    Returns:
        int, the least of its layers; None where ids choose nothing.
    """
    counts = [
        layer.num_splits
        for layer in model._flatten_layers()
        if getattr(layer, "assignment", None) == "ids" and layer.num_splits > 1
    ]
    return min(counts, default=None)


def check_split_ids(split_ids, num_splits):
    """Refuses NumPy's ids that are out of range; a tensor's cannot be seen.

    Args:
        split_ids: ids `(rows,)`, or None.
        num_splits: int, how many splits there are, or None.

    Raises:
        ValueError: for an id below zero, or of a split that there is not.
    """
    if not isinstance(split_ids, np.ndarray) or not split_ids.size:
        return
    low, high = split_ids.min(), split_ids.max()
    if num_splits and not (low >= 0 and high < num_splits):
        raise ValueError(
            f"`split_ids` must be from 0 to {num_splits - 1}, received "
            f"{low} to {high}; the model has {num_splits} splits, counted "
            "from 0."
        )


def call_routed(model, inputs, split_ids=None, training=False):
    """Calls an encoder or projector, with the ids if it routes by them.

    Args:
        model: a `keras.Model`, of one input or with `"split_ids"`.
        inputs: float tensor, the images or features.
        split_ids: None, or int tensor `(rows,)`; models without the input do
            not get them.
        training: bool.

    Returns:
        The model's outputs.

    Example:

    >>> encoder = two_conv(normalization="batch")
    >>> images = np.random.default_rng(0).uniform(size=(4, 32, 32, 3))
    >>> tuple(call_routed(encoder, images, np.array([0, 0, 1, 1])).shape)
    (4, 128)
    """
    if routes_by_ids(model):
        return model([inputs, split_ids], training=training)
    return model(inputs, training=training)
