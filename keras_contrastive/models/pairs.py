"""Pairs of both kinds: made of the images of a batch, or given.

Every row has a pair that is alike and one that is not, wherever the batch
holds both.
"""

import typing

from keras import ops

from keras_contrastive.models.labelled import labels_of
from keras_contrastive.models.pair_partners import partners


class Pairs(typing.NamedTuple):
    """The pairs of a batch, row by row.

    Attributes:
        positive: two tensors `(batch, dim)`, embeddings that are alike.
        negative: two tensors `(batch, dim)`, embeddings that are not.
        is_complete: float `(batch,)`, 1 where a row has pairs of both kinds.
        margin_pairs: list of `same` and a pair, what the margin loss is of.
        margin_weights: `(batch,)`, how much each row of it has to say, or
            None for all alike.
    """

    positive: tuple
    negative: tuple
    is_complete: object
    margin_pairs: list
    margin_weights: object


def mined_pairs(model, batch, views, candidates, step):
    """Pairs view 1 of each image with view 2 of two images.

    The kind of an image is its label where the model is `supervised`, else
    each image is a kind of its own.

    Args:
        model: the Siamese model.
        batch: dict with `positions` `(N,)` and, if supervised, `labels`.
        views: two tensors `(N, dim)`, the embeddings of both views.
        candidates: two tensors `(all, dim)`, what views are compared with.
        step: int, or int32 scalar tensor.

    Returns:
        `Pairs`.

    Raises:
        ValueError: if the batch has no labels, and the model needs them.
    """
    if model.supervised:
        kinds = labels_of(model, batch)
    else:
        kinds = ops.cast(batch["positions"], "int32")
    same_rows, other_rows, has_other = _partners(model, kinds, batch, step)
    first, seconds = views[0], candidates[1]
    positive = (first, ops.take(seconds, same_rows, axis=0))
    negative = (first, ops.take(seconds, other_rows, axis=0))
    return Pairs(
        positive=positive,
        negative=negative,
        is_complete=has_other,
        margin_pairs=[(1.0, positive), (0.0, negative)],
        margin_weights=has_other,
    )


def given_pairs(model, batch, views, candidates, step):
    """Takes pairs as they are given, each beside one of the other kind.

    Args:
        model: the Siamese model.
        batch: dict with `positions` `(N,)` and `same` `(N,)`, 1 or 0.
        views: two tensors `(N, dim)`, the embeddings of each pair.
        candidates: two tensors `(all, dim)`, those of all pairs.
        step: int, or int32 scalar tensor.

    Returns:
        `Pairs`.
    """
    same = ops.cast(ops.reshape(batch["same"], (-1,)), "int32")
    _, other_rows, has_other = _partners(model, same, batch, step)
    others = [ops.take(each, other_rows, axis=0) for each in candidates]
    is_same = same[:, None] > 0
    return Pairs(
        positive=[ops.where(is_same, *each) for each in zip(views, others)],
        negative=[ops.where(is_same, *each) for each in zip(others, views)],
        is_complete=has_other,
        margin_pairs=[(same, views)],
        margin_weights=None,
    )


def _partners(model, kinds, batch, step):
    return partners(
        kinds,
        model.gathered(kinds),
        model.places(batch),
        seed=model.seed,
        step=step,
    )
