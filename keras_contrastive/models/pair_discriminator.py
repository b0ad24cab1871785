"""The discriminator of pairs: do two embeddings show the same thing?

It sees a pair by features that do not know which of the two came first,

    f(a, b) = (|a - b|, a * b), each dimension by itself,

so that D(a, b) = D(b, a) to the last bit, whatever network comes after.
"""

import keras
from keras import ops


def pair_features(embeddings_1, embeddings_2):
    """Features of pairs, the same whichever is first.

    Args:
        embeddings_1: float tensor `(batch, dim)`.
        embeddings_2: float tensor `(batch, dim)`.

    Returns:
        Tensor `(batch, 2 * dim)`.
    """
    apart = ops.abs(embeddings_1 - embeddings_2)
    return ops.concatenate([apart, embeddings_1 * embeddings_2], axis=1)


def pair_discriminator(discriminator, dim):
    """Builds a discriminator, or takes one that is given.

    Args:
        discriminator: `"mlp"`, one hidden layer as wide as an embedding; or
            a keras.Model from pair features `(batch, 2 * dim)` to scores
            `(batch, 1)`, before the sigmoid.
        dim: int, length of an embedding.

    Returns:
        Built keras.Model.

    Raises:
        ValueError: if it is another name, or gives no score.
    """
    if discriminator == "mlp":
        return _mlp(dim)
    if not isinstance(discriminator, keras.Model):
        raise ValueError(
            "`discriminator` must be 'mlp' or a keras.Model, received "
            f"{discriminator!r}."
        )
    if not discriminator.built:
        discriminator.build((None, 2 * dim))
    shape = tuple(discriminator.compute_output_shape((None, 2 * dim)))
    if shape != (None, 1):
        raise ValueError(
            f"`discriminator` must lead from pair features (batch, {2 * dim}) "
            f"to one score (batch, 1), received the output shape {shape}; "
            "end it in Dense(1)."
        )
    return discriminator


def _mlp(dim):
    # No normalization: a pair's score must not depend on its company.
    features = keras.Input((2 * dim,), name="pair_features")
    x = keras.layers.Dense(dim, activation="relu", name="hidden")(features)
    scores = keras.layers.Dense(1, name="scores")(x)
    return keras.Model(features, scores, name="discriminator")
