"""Normalization from the moments of rows: one pass, however a batch is split.

A row is one image (or one vector) of the batch. Each row has its own moments
over its positions,

    m = mean(x),   v = mean((x - m)^2),

two small arrays `(rows, channels)`. The moments of any set of rows follow
from them by the law of total variance, and whatever statistics a layer
chooses, what it does to a row is one scale and one offset per channel,

    y = (x - m) * scale + offset.

So the inputs themselves are passed over as often as by plain batch
normalization, whether there are one, ten or a hundred sets, of equal size or
not, in order or not. Variances are sums of squares about the mean, in at
least float32: the cancellation of `mean(x^2) - mean(x)^2` does not occur.
"""

import math

import keras
from keras import ops

# Rows smaller than this, as dense features are, gain nothing from kernels
# that are compiled for their shape.
_SMALLEST_COMPILED_ROW = 1024


def normalize_rows(inputs, transform, parameters):
    """Normalizes each row by statistics made of all rows' moments.

    Args:
        inputs: float tensor `(rows, ..., channels)`.
        transform: function of `mean`, `variance` (each `(rows, channels)`)
            and the parameters, that returns `scale`, `offset` (each
            `(rows, channels)`) and a list of statistics. It is
            differentiated.
        parameters: list of tensors to differentiate by as well.

    Returns:
        Outputs like the inputs, and the list of statistics, without gradient.
    """
    if _compiles(inputs):
        from keras_contrastive.layers import fused_tensorflow

        return fused_tensorflow.normalize_rows(inputs, transform, parameters)
    return normalize_rows_neutrally(inputs, transform, parameters)


def normalize_rows_neutrally(inputs, transform, parameters):
    """Does what `normalize_rows` does in operations that every backend has.

    Args:
        inputs: as in `normalize_rows`.
        transform: as there.
        parameters: as there.

    Returns:
        Outputs like the inputs, and the list of statistics, without gradient.
    """
    shape = ops.shape(inputs)
    rows = ops.reshape(inputs, (shape[0], math.prod(shape[1:-1]), shape[-1]))
    rows = ops.cast(rows, moments_dtype(inputs))
    mean = ops.mean(rows, axis=1)
    centred = rows - mean[:, None]
    variance = ops.mean(ops.square(centred), axis=1)
    scale, offset, statistics = transform(mean, variance, *parameters)
    outputs = centred * scale[:, None] + offset[:, None]
    outputs = ops.cast(ops.reshape(outputs, shape), inputs.dtype)
    return outputs, [ops.stop_gradient(each) for each in statistics]


def moments_dtype(inputs):
    """The precision of moments: float32 at least, whatever the inputs have.

    Args:
        inputs: float tensor.

    Returns:
        str, `"float32"`, or `"float64"` where the inputs are.
    """
    return keras.backend.result_type(inputs.dtype, "float32")


def _compiles(inputs):
    if keras.backend.backend() != "tensorflow":
        return False
    row = inputs.shape[1:]
    if moments_dtype(inputs) != "float32" or None in row:
        return False
    return len(row) > 1 and math.prod(row) >= _SMALLEST_COMPILED_ROW
