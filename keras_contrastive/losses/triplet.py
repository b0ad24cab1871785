"""Triplet losses: nearer to your own class than to any other, by a margin.

    l(a, p, n) = max(d(a, p) - d(a, n) + margin, 0)
    l(a, p, n) = log(1 + exp(d(a, p) - d(a, n)))        the soft margin

References: Schroff et al. 2015 (FaceNet), https://arxiv.org/abs/1503.03832
Hermans et al. 2017, https://arxiv.org/abs/1703.07737
"""

import numbers

import keras
from keras import ops

from keras_contrastive.losses import mining as mining_rules
from keras_contrastive.losses.distances import check_distance
from keras_contrastive.losses.distances import distances
from keras_contrastive.losses.distances import pairwise_distances
from keras_contrastive.losses.label_pairs import label_pairs
from keras_contrastive.losses.row_loss import RowLoss
from keras_contrastive.losses.tensors import as_tensor


def triplet(
    labels,
    embeddings,
    margin=0.2,
    distance="euclidean",
    mining="semi_hard",
    *,
    candidate_labels=None,
    candidates=None,
    positions=None,
    with_weights=False,
):
    """Triplet loss of a batch with labels, by a rule of mining.

    | mining | triplets of an anchor |
    |---|---|
    | `"all"` | every positive with every negative |
    | `"nonzero"` | those of them whose loss is not zero |
    | `"semi_hard"` | each positive with the nearest negative that is farther \
than it, or, where there is none, with the farthest negative |
    | `"hard"` | the farthest positive with the nearest negative |
    | `"easy_positive"` | the nearest positive with the nearest negative |

    A row is the mean over its anchor's triplets, its weight their number, so
    that `sum(rows * weights) / sum(weights)` is the mean over the triplets
    of the whole batch. Anchors without any have row and weight 0.

    Args:
        labels: int tensor `(batch,)`, the class of each embedding.
        embeddings: float tensor `(batch, dim)`; FaceNet scales them to
            length one.
        margin: float >= 0, in units of the distance, or None for the soft
            margin.
        distance: `"euclidean"`, `"squared"` or `"cosine"`.
        mining: a rule of the table.
        candidate_labels: int tensor `(all,)`, the labels of the whole batch,
            where these rows are part of a larger one; `labels` by default.
        candidates: float tensor `(all, dim)`, the embeddings of the whole
            batch; `embeddings` by default.
        positions: int tensor `(batch,)`, where these rows stand among the
            candidates; `0 .. batch - 1` by default.
        with_weights: bool, whether to return the weights of the rows too.

    Returns:
        Tensor `(batch,)`, one loss an anchor; and, if asked for, weights
        `(batch,)`.

    Raises:
        ValueError: for a negative margin, an unknown distance or rule, or
            labels and embeddings that do not agree in number.

    Example:

    >>> embeddings = np.array([[0.0], [1.0], [3.0]], "float32")
    >>> rows = triplet([0, 0, 1], embeddings, margin=1.5, mining="hard")
    >>> [float(row) for row in rows]
    [0.0, 0.5, 0.0]

    References:
        - Schroff et al. 2015, https://arxiv.org/abs/1503.03832
        - Hermans et al. 2017, https://arxiv.org/abs/1703.07737
        - Xuan et al. 2020 (easy positives), https://arxiv.org/abs/1904.04370
    """
    check_margin(margin)
    check_mining(mining)
    embeddings = as_tensor("embeddings", embeddings)
    candidates, is_positive, is_negative = label_pairs(
        labels, embeddings, candidate_labels, candidates, positions
    )
    totals, weights = mining_rules.RULES[mining](
        pairwise_distances(embeddings, candidates, distance),
        is_positive,
        is_negative,
        margin,
    )
    rows = totals / ops.maximum(weights, 1.0)
    return (rows, weights) if with_weights else rows


def given_triplet(
    anchors, positives, negatives, margin=0.2, distance="euclidean"
):
    """Triplet loss of triplets that are given.

    `max(d(a, p) - d(a, n) + margin, 0)`, or the soft margin.

    Args:
        anchors: float tensor `(batch, dim)`.
        positives: float tensor `(batch, dim)`, of the anchors' classes.
        negatives: float tensor `(batch, dim)`, of other classes.
        margin: float >= 0, or None for the soft margin.
        distance: `"euclidean"`, `"squared"` or `"cosine"`.

    Returns:
        Tensor `(batch,)`, one loss a triplet.

    Raises:
        ValueError: for a negative margin, an unknown distance, or shapes
            that differ.

    Example:

    >>> zeros, ones = np.zeros((2, 4)), np.ones((2, 4))
    >>> [float(row) for row in given_triplet(zeros, ones, zeros, margin=1.0)]
    [3.0, 3.0]

    Reference:
        Schroff et al. 2015, https://arxiv.org/abs/1503.03832
    """
    check_margin(margin)
    anchors = as_tensor("anchors", anchors)
    positives = as_tensor("positives", positives)
    negatives = as_tensor("negatives", negatives)
    shapes = [tuple(each.shape) for each in (anchors, positives, negatives)]
    if len(shapes[0]) != 2 or len(set(shapes)) > 1:
        raise ValueError(
            "`anchors`, `positives` and `negatives` must have one shape "
            f"(batch, dim), received {shapes[0]}, {shapes[1]} and "
            f"{shapes[2]}."
        )
    return mining_rules.excess(
        distances(anchors, positives, distance),
        distances(anchors, negatives, distance),
        margin,
    )


def check_margin(margin):
    """Refuses a margin that is a number below zero.

    Args:
        margin: a number, or None.

    Raises:
        ValueError: if it is negative or not a number.
    """
    if margin is None:
        return
    is_number = isinstance(margin, numbers.Real) or hasattr(margin, "shape")
    if not is_number or not margin >= 0:
        raise ValueError(
            f"`margin` must be at least zero, received {margin!r}; 0.2 suits "
            "embeddings of length one, None is the soft margin."
        )


def check_mining(mining):
    """Refuses the name of a rule that there is not.

    Args:
        mining: str.

    Raises:
        ValueError: if there is no such rule.
    """
    if mining not in mining_rules.RULES:
        raise ValueError(
            f"`mining` must be one of {', '.join(mining_rules.RULES)}, "
            f"received {mining!r}."
        )


@keras.saving.register_keras_serializable(package="keras_contrastive")
class Triplet(RowLoss):
    """The triplet loss for Keras: `loss(labels, embeddings)`.

    Its value for a batch is the mean over the triplets that its rule of
    mining takes from it.

    Args:
        margin: float >= 0, or None for the soft margin.
        distance: `"euclidean"`, `"squared"` or `"cosine"`.
        mining: `"all"`, `"nonzero"`, `"semi_hard"`, `"hard"` or
            `"easy_positive"`.
        reduction: how rows become a value, as in any Keras loss.
        name: name of the loss.
        dtype: dtype of the computation, float32 by default.

    Raises:
        ValueError: for a negative margin, an unknown distance or rule.

    Example:

    >>> loss = Triplet(margin=0.2, mining="hard")
    >>> round(float(loss(np.array([0, 0, 1, 1]), np.ones((4, 8)))), 4)
    0.2

    Reference:
        Schroff et al. 2015, https://arxiv.org/abs/1503.03832
    """

    def __init__(
        self,
        margin=0.2,
        distance="euclidean",
        mining="semi_hard",
        reduction="sum_over_batch_size",
        name="triplet",
        dtype=None,
    ):
        check_margin(margin)
        check_distance(distance)
        check_mining(mining)
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.margin = margin
        self.distance = distance
        self.mining = mining

    def rows(self, labels, embeddings):
        return triplet(
            labels,
            embeddings,
            self.margin,
            self.distance,
            self.mining,
            with_weights=True,
        )

    def get_config(self):
        return {
            **super().get_config(),
            "margin": self.margin,
            "distance": self.distance,
            "mining": self.mining,
        }


@keras.saving.register_keras_serializable(package="keras_contrastive")
class GivenTriplet(keras.losses.Loss):
    """Triplet loss of given triplets for Keras: `loss(anything, triplets)`.

    Args:
        margin: float >= 0, or None for the soft margin.
        distance: `"euclidean"`, `"squared"` or `"cosine"`.
        reduction: how rows become a value, as in any Keras loss.
        name: name of the loss.
        dtype: dtype of the computation, float32 by default.

    Call arguments:
        y_true: not looked at.
        y_pred: float tensor `(batch, 3, dim)`, anchor, positive and negative
            of each triplet.

    Raises:
        ValueError: for a negative margin, or an unknown distance.

    Example:

    >>> triplets = np.array([[[0.0], [2.0], [1.0]]], "float32")
    >>> float(GivenTriplet(margin=0.5)(np.zeros(1), triplets))
    1.5

    Reference:
        Schroff et al. 2015, https://arxiv.org/abs/1503.03832
    """

    def __init__(
        self,
        margin=0.2,
        distance="euclidean",
        reduction="sum_over_batch_size",
        name="given_triplet",
        dtype=None,
    ):
        check_margin(margin)
        check_distance(distance)
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.margin = margin
        self.distance = distance

    def call(self, y_true, y_pred):
        y_pred = as_tensor("y_pred", y_pred)
        return given_triplet(
            *(y_pred[:, place] for place in range(3)),
            self.margin,
            self.distance,
        )

    def get_config(self):
        return {
            **super().get_config(),
            "margin": self.margin,
            "distance": self.distance,
        }
