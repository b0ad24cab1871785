"""What the argument `normalization` of encoders and projectors means.

It is a name, or a layer that serves as the template for every place.
"""

import math

import keras

from keras_contrastive.layers.batch_normalization import BatchNormalization
from keras_contrastive.layers.batch_renormalization import BatchRenormalization
from keras_contrastive.layers.routed_model import RoutedModel
from keras_contrastive.layers.routed_model import split_ids_input
from keras_contrastive.layers.split_batch_normalization import (
    SplitBatchNormalization,
)

_EPSILON = 1e-5


class NormalizationFactory:
    """Makes one network's normalization layers, and then its model.

    Args:
        normalization: one of

            - `"batch"`: `BatchNormalization`;
            - `"synchronized"`: the same by the rows of all replicas of a
              `tf.distribute` strategy,
              `BatchNormalization(synchronized=True)`;
            - `"split"`: `SplitBatchNormalization(10, "contiguous")`;
            - `"batch_renorm"`: `BatchRenormalization()`, whose clipping
              opens over the first quarter of the run, as in the paper;
            - `"group"`: `keras.layers.GroupNormalization`, of 32 groups or
              the greatest common divisor of 32 and the channels;
            - `"none"` or None: no normalization;
            - a layer: a template, of which every place gets a new one with
              the same configuration, for instance
              `SplitBatchNormalization(10, "ids", split_statistics=True)`.

    Raises:
        ValueError: for an unknown name, or what is no layer.

    Example:

    >>> import keras
    >>> normalize = NormalizationFactory("group")
    >>> images = keras.Input((32, 32, 3))
    >>> x = keras.layers.Conv2D(8, 3, use_bias=normalize.is_none)(images)
    >>> x = normalize(x, name="normalization")
    >>> normalize.model(images, x, name="encoder").output_shape
    (None, 30, 30, 8)
    """

    def __init__(self, normalization):
        if not isinstance(normalization, keras.layers.Layer):
            if normalization not in _NAMES:
                names = ", ".join(map(repr, _NAMES))
                raise ValueError(
                    f"`normalization` must be one of {names}, or a Keras "
                    f"layer that serves as template, received "
                    f"{normalization!r}."
                )
        self._normalization = normalization
        self._split_ids = None

    @property
    def is_none(self):
        """Whether there is none, so that what comes before needs a bias."""
        return self._normalization in ("none", None)

    def __call__(self, inputs, name):
        """Normalizes a symbolic tensor by a new layer of that name."""
        if self.is_none:
            return inputs
        layer = self._layer(inputs.shape[-1], name)
        if getattr(layer, "assignment", None) != "ids":
            return layer(inputs)
        if self._split_ids is None:
            self._split_ids = split_ids_input()
        return layer(inputs, self._split_ids)

    def model(self, inputs, outputs, name):
        """Returns the model, a `RoutedModel` if a layer routes rows by id."""
        if self._split_ids is None:
            return keras.Model(inputs, outputs, name=name)
        return RoutedModel([inputs, self._split_ids], outputs, name=name)

    def _layer(self, channels, name):
        if isinstance(self._normalization, keras.layers.Layer):
            config = self._normalization.get_config()
            return type(self._normalization).from_config(
                {**config, "name": name}
            )
        return _NAMES[self._normalization](channels, name)


def _batch(channels, name):
    return BatchNormalization(name=name)


def _synchronized(channels, name):
    return BatchNormalization(synchronized=True, name=name)


def _split(channels, name):
    return SplitBatchNormalization(10, "contiguous", name=name)


def _batch_renorm(channels, name):
    return BatchRenormalization(name=name)


def _group(channels, name):
    return keras.layers.GroupNormalization(
        groups=math.gcd(32, channels), epsilon=_EPSILON, name=name
    )


_NAMES = {
    "batch": _batch,
    "synchronized": _synchronized,
    "split": _split,
    "batch_renorm": _batch_renorm,
    "group": _group,
    "none": None,
    None: None,
}
