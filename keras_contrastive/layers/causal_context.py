"""Context networks over a grid of patches: a row sees no row below it.

Reference: van den Oord et al. 2018, section 3.3,
https://arxiv.org/abs/1807.03748
"""

import keras
from keras import ops

_CONV_BLOCKS = 3
_CONV_KERNEL = 3


def causal_context(kind, grid_shape, dim, units=None, name="context"):
    """Builds a network that sums up, at each patch, the rows down to it.

    - `"gru"`: a recurrent network runs down each column by itself.
    - `"conv"`: three residual blocks of a 3 x 3 convolution that reaches
      upwards and to both sides. It sees the rows from six above down to its
      own, and the neighbouring columns. (The paper's PixelCNN does not see
      its own row to the right either; what is predicted are rows below.)

    Neither holds batch normalization, which would let a row see others
    through the statistics.

    Args:
        kind: `"gru"` or `"conv"`.
        grid_shape: pair of ints, rows and columns of the grid.
        dim: int, features of a patch.
        units: int, of the context; `dim` by default.
        name: str.

    Returns:
        A `keras.Model` from features `(batch, rows, columns, dim)` to
        contexts `(batch, rows, columns, units)`.

    Raises:
        ValueError: if `kind` is another.

    Example:

    >>> causal_context("gru", (3, 3), dim=128, units=64).output_shape
    (None, 3, 3, 64)

    Reference:
        van den Oord et al. 2018, https://arxiv.org/abs/1807.03748
    """
    if kind not in _KINDS:
        raise ValueError(
            f"A context must be 'gru' or 'conv', received {kind!r}; another "
            "one can be any keras.Model."
        )
    features = keras.Input((*grid_shape, dim), name="features")
    contexts = _KINDS[kind](features, units or dim)
    return keras.Model(features, contexts, name=name)


def _gru(features, units):
    rows, columns, dim = features.shape[1:]
    x = ops.transpose(features, (0, 2, 1, 3))
    x = ops.reshape(x, (-1, rows, dim))  # (batch * columns, rows, dim)
    # A grid has a handful of rows: unrolled they need no loop.
    x = keras.layers.GRU(units, return_sequences=True, unroll=True, name="gru")(
        x
    )
    x = ops.reshape(x, (-1, columns, rows, units))
    return ops.transpose(x, (0, 2, 1, 3))


def _conv(features, units):
    above, beside = _CONV_KERNEL - 1, _CONV_KERNEL // 2
    x = keras.layers.Dense(units, name="units")(features)
    for block in range(1, _CONV_BLOCKS + 1):
        y = keras.layers.ReLU(name=f"relu_{block}")(x)
        y = keras.layers.ZeroPadding2D(
            ((above, 0), (beside, beside)), name=f"padding_{block}"
        )(y)
        y = keras.layers.Conv2D(
            units,
            _CONV_KERNEL,
            kernel_initializer="he_normal",
            name=f"conv_{block}",
        )(y)
        x = keras.layers.Add(name=f"add_{block}")([x, y])
    return x


_KINDS = {"gru": _gru, "conv": _conv}
