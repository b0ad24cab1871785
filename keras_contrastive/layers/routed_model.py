"""Functional models whose normalization sends each row to a split by its id.

Such a model has two inputs, the data and `"split_ids"`, the second optional.
"""

import keras

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
        return super().__call__(self._as_pair(inputs), *args, **kwargs)

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
