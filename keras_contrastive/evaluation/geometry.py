"""The shape of a cloud of features, without labels.

    alignment  = mean of ||z1 - z2||^alpha over positive pairs
    uniformity = log of the mean of exp(-t ||zi - zj||^2) over pairs i < j
    effective rank = exp(H(p)),  p_k = sigma_k / sum sigma

with z L2-normalized, sigma the singular values of the features as they are,
and H the entropy.

Reference: Wang and Isola 2020, https://arxiv.org/abs/2005.10242; Roy and
Vetterli 2007, The effective rank.
"""

import numpy as np

from keras_contrastive.evaluation.features import as_features
from keras_contrastive.evaluation.features import normalized
from keras_contrastive.evaluation.features import sampled
from keras_contrastive.evaluation.threads import thread_pool

# Rows at a time.
CHUNK = 512
# Part of the spread of evenly distributed features below which features have
# collapsed. The mean cosine of two images is then above 0.999. It must not be
# much higher: after seven steps a two_conv has 0.1 on handwritten digits, and
# learns well.
COLLAPSED = 0.03


def alignment(view_1, view_2, alpha=2):
    """Mean distance of positive pairs: 0 is perfect.

    `mean ||z1 - z2||^alpha` on L2-normalized features.

    Args:
        view_1: floats `(N, dim)`, features of one view of each image.
        view_2: floats `(N, dim)`, features of the other view.
        alpha: float > 0.

    Returns:
        float in [0, 2^alpha].

    Raises:
        ValueError: for shapes that differ, features that are not finite, or
            an `alpha` that is not positive.

    Example:

    >>> alignment([[1.0, 0.0]], [[0.0, 3.0]])
    2.0

    Reference: Wang and Isola 2020, eq. 3, https://arxiv.org/abs/2005.10242
    """
    _check_positive("alpha", alpha)
    view_1, view_2 = (
        as_features(view_1, "view_1"),
        as_features(view_2, "view_2"),
    )
    if view_1.shape != view_2.shape:
        raise ValueError(
            "`view_2` must hold the same images as `view_1`, received the "
            f"shapes {view_2.shape} and {view_1.shape}."
        )
    difference = normalized(view_1) - normalized(view_2)
    squares = np.square(difference).sum(axis=1, dtype="float64")
    return float(np.mean(squares ** (alpha / 2)))


def uniformity(features, t=2, max_features=10_000, seed=0):
    """How evenly features cover the sphere: the lower, the more evenly.

    `log mean exp(-t ||zi - zj||^2)` over pairs i < j of L2-normalized
    features: 0 where all are the same, near `-2t` where they are spread
    evenly over a sphere of many dimensions.

    Args:
        features: floats `(N, dim)`, at least 2 rows.
        t: float > 0.
        max_features: int >= 2; of more rows a seeded sample is taken.
        seed: int, for the sample.

    Returns:
        float in [-4t, 0].

    Raises:
        ValueError: for fewer than two rows, features that are not finite, or
            a `t` that is not positive.

    Example:

    >>> round(uniformity([[1.0, 0.0], [0.0, 3.0]]), 4)
    -4.0

    Reference: Wang and Isola 2020, eq. 4, https://arxiv.org/abs/2005.10242
    """
    _check_positive("t", t)
    features = as_features(features)
    if min(len(features), max_features) < 2:
        raise ValueError(
            "`features` and `max_features` must be two rows at least, "
            f"received {len(features)} and {max_features}: uniformity is a "
            "mean over pairs."
        )
    features = features[sampled(len(features), max_features, seed)]
    points = normalized(features)
    # Distances are differences of squares: small ones need small numbers.
    points -= points.mean(axis=0, dtype="float64").astype("float32")
    count = len(points)
    with thread_pool() as pool:
        totals = pool.map(
            lambda start: _potentials(points, start, t),
            range(0, count, CHUNK),
        )
        total = sum(totals)
    return float(np.log(total / (count * (count - 1) / 2)))


def effective_rank(features):
    """How many directions features use, from 1 to their number of columns.

    `exp` of the entropy of the singular values' shares: all equal gives the
    number of columns, a single direction 1. Features are taken as they are,
    neither centered nor normalized.

    Args:
        features: floats `(N, dim)`.

    Returns:
        float in [1, min(N, dim)]; 0 for features that are all zero.

    Raises:
        ValueError: for features that are not finite.

    Example:

    >>> round(effective_rank(np.eye(4)), 6)
    4.0

    Reference: Roy and Vetterli 2007; Garrido et al. 2023 (RankMe),
    https://arxiv.org/abs/2210.02885
    """
    features = as_features(features)
    if not features.any():
        return 0.0
    if features.shape[0] < features.shape[1]:
        features = features.T
    # float64: a square in float32 would blur singular values below a
    # thousandth of the largest.
    gram = np.zeros((features.shape[1],) * 2)
    for start in range(0, len(features), CHUNK):
        chunk = features[start : start + CHUNK].astype("float64")
        gram += chunk.T @ chunk
    singular = np.sqrt(np.maximum(np.linalg.eigvalsh(gram), 0))
    shares = singular[singular > 0] / singular.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def spread(features):
    """Mean standard deviation of the columns of L2-normalized features.

    `1 / sqrt(dim)` for features spread evenly over the sphere, 0 where the
    network gives the same direction for all images.

    Args:
        features: floats `(N, dim)`.

    Returns:
        float in [0, 1].

    Raises:
        ValueError: for features that are not finite.

    Example:

    >>> round(spread([[1.0, 0.0], [0.0, 1.0]]), 6)
    0.5

    Reference: Chen and He 2021, section 4.1, https://arxiv.org/abs/2011.10566
    """
    points = normalized(as_features(features))
    points -= points.mean(axis=0, dtype="float64").astype("float32")
    variances = np.square(points).mean(axis=0, dtype="float64")
    return float(np.sqrt(variances).mean())


def collapsed(features):
    """Whether features are nearly the same for all images.

    True where `spread(features) < 0.03 / sqrt(dim)`, 3 % of the spread of
    evenly distributed features: the mean cosine of two images is then above
    0.999, whatever the number of columns. A fixed limit such as 0.01 would
    mean much for a few columns and nothing for thousands.

    Args:
        features: floats `(N, dim)`.

    Returns:
        bool.

    Raises:
        ValueError: for features that are not finite.

    Example:

    >>> collapsed(np.ones((5, 3))), collapsed(np.eye(3))
    (True, False)
    """
    features = as_features(features)
    return bool(spread(features) < COLLAPSED / np.sqrt(features.shape[1]))


def _potentials(points, start, t):
    """Sum of the potentials of a chunk with all points behind, float."""
    chunk, others = points[start : start + CHUNK], points[start:]
    distances = -2 * chunk @ others.T
    distances += np.square(chunk).sum(axis=1)[:, None]
    distances += np.square(others).sum(axis=1)
    potentials = np.exp(-t * np.maximum(distances, 0))
    later = np.arange(len(others)) > np.arange(len(chunk))[:, None]
    return potentials.sum(dtype="float64", where=later)


def _check_positive(name, value):
    if not value > 0:
        raise ValueError(
            f"`{name}` must be positive, received {value}; 2 is usual."
        )
