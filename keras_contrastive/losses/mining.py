"""Rules by which triplets are taken from a batch.

Each takes distances `(batch, all)`, two masks of the same shape and the
margin, and returns each anchor's sum over its triplets and their number,
both `(batch,)`.
"""

from keras import ops

# Farther than anything, and finite: differences of it stay numbers.
FARTHEST = 1e30


def excess(positive, negative, margin):
    """By how much a positive is too far: the hinge, or the soft margin.

    Args:
        positive: tensor, distances of positives.
        negative: tensor, distances of negatives.
        margin: float, or None for the soft margin.

    Returns:
        Tensor of their common shape.
    """
    if margin is None:
        return ops.softplus(positive - negative)
    return ops.relu(positive - negative + margin)


def every(distances, is_positive, is_negative, margin):
    """Every positive with every negative ("batch all").

    Args:
        distances: float tensor `(batch, all)`, of anchors to candidates.
        is_positive: bool tensor `(batch, all)`, candidates of the anchor's
            class, without the anchor itself.
        is_negative: bool tensor `(batch, all)`, those of other classes.
        margin: float >= 0, in units of the distances, or None for the soft
            margin.

    Returns:
        Sums of losses `(batch,)`, and numbers of triplets `(batch,)`.

    Reference:
        Hermans et al. 2017, https://arxiv.org/abs/1703.07737
    """
    totals, _ = _all_triplets(distances, is_positive, is_negative, margin)
    return totals, _count(is_positive, distances) * _count(
        is_negative, distances
    )


def nonzero(distances, is_positive, is_negative, margin):
    """Every positive with every negative that is not far enough.

    The soft margin leaves none out: no triplet of it has a loss of zero.

    Args:
        distances: as in `every`.
        is_positive: as in `every`.
        is_negative: as in `every`.
        margin: as in `every`.

    Returns:
        As `every`.

    Reference:
        Hermans et al. 2017, https://arxiv.org/abs/1703.07737
    """
    return _all_triplets(distances, is_positive, is_negative, margin)


def semi_hard(distances, is_positive, is_negative, margin):
    """Each positive with the nearest negative farther than it.

    Where no negative is farther, with the farthest one.

    Args:
        distances: as in `every`.
        is_positive: as in `every`.
        is_negative: as in `every`.
        margin: as in `every`.

    Returns:
        As `every`.

    Reference:
        Schroff et al. 2015 (FaceNet), https://arxiv.org/abs/1503.03832
    """
    farther = ops.where(is_negative, distances, FARTHEST)
    order = ops.argsort(ops.stop_gradient(farther), axis=1)
    ordered = _take_by_row(distances, order)
    nearer = _count_below(
        ops.stop_gradient(_take_by_row(farther, order)),
        ops.stop_gradient(distances),
        or_equal=True,
    )
    count = ops.sum(ops.cast(is_negative, "int32"), axis=1, keepdims=True)
    chosen = ops.maximum(ops.minimum(nearer, count - 1), 0)
    negative = _take_by_row(ordered, chosen)
    taken = ops.logical_and(is_positive, count > 0)
    losses = excess(distances, negative, margin)
    losses = ops.where(taken, losses, ops.zeros_like(losses))
    return ops.sum(losses, axis=1), _count(taken, distances)


def hard(distances, is_positive, is_negative, margin):
    """The farthest positive with the nearest negative ("batch hard").

    Args:
        distances: as in `every`.
        is_positive: as in `every`.
        is_negative: as in `every`.
        margin: as in `every`.

    Returns:
        As `every`.

    Reference:
        Hermans et al. 2017, https://arxiv.org/abs/1703.07737
    """
    farthest = ops.max(ops.where(is_positive, distances, -FARTHEST), axis=1)
    return _with_nearest(farthest, distances, is_positive, is_negative, margin)


def easy_positive(distances, is_positive, is_negative, margin):
    """The nearest positive with the nearest negative.

    Classes need not become points: each image needs but one near neighbour.

    Args:
        distances: as in `every`.
        is_positive: as in `every`.
        is_negative: as in `every`.
        margin: as in `every`.

    Returns:
        As `every`.

    Reference:
        Xuan et al. 2020, https://arxiv.org/abs/1904.04370
    """
    nearest = ops.min(ops.where(is_positive, distances, FARTHEST), axis=1)
    return _with_nearest(nearest, distances, is_positive, is_negative, margin)


RULES = {
    "all": every,
    "nonzero": nonzero,
    "semi_hard": semi_hard,
    "hard": hard,
    "easy_positive": easy_positive,
}


def _with_nearest(positive, distances, is_positive, is_negative, margin):
    negative = ops.min(ops.where(is_negative, distances, FARTHEST), axis=1)
    complete = ops.logical_and(
        ops.any(is_positive, axis=1), ops.any(is_negative, axis=1)
    )
    # What is not complete must not reach the loss with its huge numbers.
    zeros = ops.zeros_like(positive)
    positive = ops.where(complete, positive, zeros)
    negative = ops.where(complete, negative, zeros)
    losses = excess(positive, negative, margin)
    return ops.where(complete, losses, zeros), ops.cast(
        complete, distances.dtype
    )


def _all_triplets(distances, is_positive, is_negative, margin):
    """Sums over all triplets, and how many of them are not zero."""
    if margin is None:
        return _all_soft_triplets(distances, is_positive, is_negative)
    # sum over p, n of max(a_p - d_n, 0), with a_p = d_p + margin, is
    #     sum_p a_p #{n: d_n < a_p} - sum_n d_n #{p: d_n < a_p}
    # and its derivative is that of the same with the counts as constants. So
    # sorting takes the place of as many numbers as there are triplets.
    reach = distances + margin
    negatives = ops.where(is_negative, distances, FARTHEST)
    positives = ops.where(is_positive, reach, -FARTHEST)
    within = _count_below(
        ops.sort(ops.stop_gradient(negatives), axis=1),
        ops.stop_gradient(positives),
    )
    reached = _count_below(
        ops.sort(ops.stop_gradient(-positives), axis=1),
        ops.stop_gradient(-negatives),
    )
    within = ops.cast(within, distances.dtype)
    reached = ops.cast(reached, distances.dtype)
    totals = ops.sum(within * reach - reached * distances, axis=1)
    return totals, ops.sum(within, axis=1)


def _all_soft_triplets(distances, is_positive, is_negative):
    losses = excess(distances[:, :, None], distances[:, None, :], None)
    taken = ops.logical_and(is_positive[:, :, None], is_negative[:, None, :])
    losses = ops.where(taken, losses, ops.zeros_like(losses))
    return ops.sum(losses, axis=(1, 2)), _count(
        is_positive, distances
    ) * _count(is_negative, distances)


def _count(mask, distances):
    return ops.sum(ops.cast(mask, distances.dtype), axis=1)


def _take_by_row(values, columns):
    """Takes columns of each row, `(rows, any)` of `(rows, n)`.

    As `take_along_axis`, by one flat gather: on TensorFlow several times
    faster.
    """
    rows, count = ops.shape(values)
    starts = count * ops.arange(rows, dtype="int32")[:, None]
    return ops.take(ops.reshape(values, (-1,)), starts + columns)


def _count_below(ordered, thresholds, or_equal=False):
    """How many of a row's ordered numbers are below each threshold.

    Args:
        ordered: float tensor `(rows, n)`, ascending.
        thresholds: float tensor `(rows, m)`.
        or_equal: bool, whether equal ones count.

    Returns:
        int32 tensor `(rows, m)`.
    """
    count = ops.shape(ordered)[1]
    low = ops.zeros_like(thresholds, dtype="int32")

    def halve(low, high):
        middle = (low + high) // 2
        values = _take_by_row(ordered, ops.minimum(middle, count - 1))
        below = values <= thresholds if or_equal else values < thresholds
        below = ops.logical_and(below, middle < high)
        return ops.where(below, middle + 1, low), ops.where(below, high, middle)

    # Bisection, of all rows and thresholds at once.
    low, _ = ops.while_loop(
        lambda low, high: ops.any(low < high), halve, (low, low + count)
    )
    return low
