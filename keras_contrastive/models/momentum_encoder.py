"""A slowly moving copy of a model: its weights follow by a moving average.

key = momentum key + (1 - momentum) query
"""

import numbers

import keras
from keras import ops

from keras_contrastive.models.copied import copied


def frozen_copy(model):
    """Copies a model, weights included, and takes its variables from training.

    The variables are frozen one by one and the layers are not: a batch
    normalization that is not trainable normalizes by moving statistics, which
    in a copy never move.

    Args:
        model: built keras.Model, or None.

    Returns:
        keras.Model of the same architecture and weights; None for None.
    """
    if model is None:
        return None
    copy = copied(model)
    for variable in copy.variables:
        variable.trainable = False
    return copy


def follow(copy, model, momentum, statistics=False):
    """Moves a copy's weights towards the model's.

    Args:
        copy: what `frozen_copy` returned.
        model: the keras.Model it was made from.
        momentum: float or float tensor in [0, 1], how much stays.
        statistics: bool, whether moving statistics of normalization layers
            follow as well (EMAN), or remain the copy's own.
    """
    if model is None:
        return
    for mine, its in zip(copy.weights, model.weights, strict=True):
        if not (its.trainable or statistics):
            continue
        if not keras.backend.is_float_dtype(its.dtype):
            mine.assign(its)
            continue
        kept = ops.cast(momentum, mine.dtype)
        mine.assign(kept * mine + (1.0 - kept) * its)


def check_momentum(momentum):
    """Refuses a momentum outside of [0, 1].

    Args:
        momentum: float, or a schedule, whose values are its own business.

    Raises:
        ValueError: if it is a number out of range.
    """
    if callable(momentum):
        return
    if not isinstance(momentum, numbers.Real) or not 0 <= momentum <= 1:
        raise ValueError(
            f"`momentum` must be from 0 to 1, received {momentum!r}; MoCo uses "
            "0.999 on ImageNet and 0.99 on CIFAR-10."
        )
