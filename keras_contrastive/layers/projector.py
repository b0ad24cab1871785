"""Projection heads, from an encoder's features to what the loss compares."""

import keras

from keras_contrastive.layers.normalization import NormalizationFactory

_KINDS = ("linear", "mlp", None)


def projection_head(
    kind,
    input_dim,
    output_dim=128,
    hidden_dim=None,
    normalization="batch",
    name="projector",
    normalize_output=False,
):
    """Builds a projection head.

    - `"linear"`: one dense layer without bias.
    - `"mlp"`: a dense layer, normalization, ReLU, and a dense layer without
      bias. The first has a bias only where there is no normalization, which
      would take it away again.
    - None: the projections are the features.

    A bias of the last layer would shift all projections alike, and the
    cosine similarities of the losses with it; SimCLR has none.

    Args:
        kind: `"linear"`, `"mlp"` or None.
        input_dim: int, the number of features.
        output_dim: int, the number of projections; not used by None.
        hidden_dim: int, units of the hidden layer of `"mlp"`; by default
            `input_dim`.
        normalization: of the hidden layer, as for the encoders; see
            `layers.NormalizationFactory`.
        name: str.
        normalize_output: bool, whether the projections are normalized over
            the batch as well, by the same kind of layer, as in SimCLR's
            code. Not used by None.

    Returns:
        A `keras.Model` from features `(batch, input_dim)` to projections
        `(batch, output_dim)`. If its normalization routes rows by id, a
        `RoutedModel`, with the optional second input `"split_ids"`.

    Raises:
        ValueError: if `kind` is another.

    Example:

    >>> projector = projection_head("mlp", input_dim=512)
    >>> projector.output_shape
    (None, 128)

    Reference:
        [Chen et al., 2020](https://arxiv.org/abs/2002.05709), section 4.2.
    """
    if kind not in _KINDS:
        raise ValueError(
            "A projection head must be 'linear', 'mlp' or None, received "
            f"{kind!r}; another one can be any keras.Model."
        )
    normalize = NormalizationFactory(normalization)
    features = keras.Input((input_dim,), name="features")
    if kind is None:
        projections = keras.layers.Identity(name="projections")(features)
        return normalize.model(features, projections, name)
    x = features
    if kind == "mlp":
        x = keras.layers.Dense(
            hidden_dim or input_dim, use_bias=normalize.is_none, name="hidden"
        )(x)
        x = normalize(x, name="normalization")
        x = keras.layers.ReLU(name="relu")(x)
    projections = keras.layers.Dense(
        output_dim, use_bias=False, name="projections"
    )(x)
    if normalize_output:
        projections = normalize(projections, name="output_normalization")
    return normalize.model(features, projections, name)
