"""How well similarity tells pairs of one class from pairs of two: AUROC.

    AUROC = P(s_same > s_different) + P(s_same = s_different) / 2

over a random pair of one class and a random pair of two classes: 1 is
perfect, 0.5 chance. The pairs are all pairs i < j.

Reference: Mann and Whitney 1947, for the AUROC as a count of pairs.
"""

import numpy as np

from keras_contrastive.evaluation.features import as_features
from keras_contrastive.evaluation.features import as_labels
from keras_contrastive.evaluation.features import normalized
from keras_contrastive.evaluation.features import sampled
from keras_contrastive.evaluation.threads import thread_pool

MEASURES = ("dot", "euclidean", "cosine")
# Rows whose similarities to all others are held at a time.
CHUNK = 512


def similarity_auroc(
    features, labels, measure="dot", max_features=10_000, seed=0
):
    """AUROC of same-class against different-class pairs by similarity.

    Exact over all pairs of up to `max_features` rows (50 million pairs, 2
    seconds, 400 MB at 10,000); of more rows a seeded sample is taken.

    Args:
        features: floats `(N, dim)`, taken as they are: the dot product and
            the Euclidean distance see their lengths, the cosine does not.
        labels: integers `(N,)`, the classes.
        measure: `"dot"`, `"euclidean"` (the nearer, the more similar) or
            `"cosine"` (of normalized features the three are the same).
        max_features: int >= 2, rows to take at most.
        seed: int, for the sample.

    Returns:
        float in [0, 1]; NaN where all pairs are of one kind.

    Raises:
        ValueError: for an unknown measure, fewer than two rows to take,
            features that are not finite, or labels of another length.

    Example:

    >>> features = np.array([[1.0, 0.0], [0.8, 0.1], [0.0, 1.0], [0.1, 0.9]])
    >>> similarity_auroc(features, [0, 0, 1, 1])
    1.0
    """
    if measure not in MEASURES:
        raise ValueError(
            f"`measure` must be one of {', '.join(MEASURES)}, received "
            f"{measure!r}."
        )
    if max_features < 2:
        raise ValueError(
            f"`max_features` must be at least 2, received {max_features}: "
            "figures are about pairs."
        )
    features = as_features(features)
    labels = as_labels(labels, len(features))
    rows = sampled(len(features), max_features, seed)
    features, penalties = _prepared(features[rows], measure)
    with thread_pool() as pool:
        same, different = _pairs(features, penalties, labels[rows])
        if not len(same) or not len(different):
            return float("nan")
        list(pool.map(np.ndarray.sort, (same, different)))
        # How many of the different pairs lie below each same-class pair, and
        # how many not above it: ties count as halves.
        below, not_above = pool.map(
            lambda side: np.searchsorted(different, same, side).sum(),
            ("left", "right"),
        )
    return float((below + not_above) / 2 / len(same) / len(different))


def _pairs(features, penalties, labels):
    """Similarities of all pairs of one class, and of all other pairs."""
    # Class by class, so that the pairs of two classes are whole rectangles,
    # which the product writes where they belong.
    order = np.argsort(labels, kind="stable")
    features, penalties = features[order], penalties[order]
    sizes = np.unique(labels, return_counts=True)[1]
    count, num_same = len(features), int((sizes * (sizes - 1) // 2).sum())
    same = np.empty(num_same, "float32")
    different = np.empty(count * (count - 1) // 2 - num_same, "float32")
    filled_same = filled_different = 0
    for end, size in zip(np.cumsum(sizes), sizes):
        for start in range(end - size, end, CHUNK):
            stop = min(start + CHUNK, end)
            rows = features[start:stop], penalties[start:stop, None]
            later = np.arange(start, end) > np.arange(start, stop)[:, None]
            block = rows[0] @ features[start:end].T
            block -= rows[1] + penalties[start:end]
            added = np.count_nonzero(later)
            same[filled_same : filled_same + added] = block[later]
            filled_same += added
            shape = stop - start, count - end
            added = shape[0] * shape[1]
            block = different[filled_different : filled_different + added]
            block = block.reshape(shape)
            np.matmul(rows[0], features[end:].T, out=block)
            block -= rows[1] + penalties[end:]
            filled_different += added
    return same, different


def _prepared(features, measure):
    """Features and penalties; their products less both are what counts.

    Scaled into the range where float32 is precise, which moves no rank.
    """
    if measure == "cosine":
        return normalized(features), np.zeros(len(features), "float32")
    if measure == "euclidean":
        # Distances stay, and small ones are precise.
        features = features - features.mean(axis=0, dtype="float64")
        features = features.astype("float32")
    # By a power of two: nothing is rounded, equal products stay equal.
    features = np.ldexp(features, -np.frexp(np.abs(features).max())[1])
    squares = np.einsum("ij,ij->i", features, features)
    # -|a - b|^2 / 2 = a.b - |a|^2 / 2 - |b|^2 / 2
    return features, squares / 2 * (measure == "euclidean")
