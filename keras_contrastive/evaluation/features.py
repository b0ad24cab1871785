"""What counts as features and labels here: checks, and unit length."""

import numpy as np


def as_features(features, name="features"):
    """Features as a finite float32 array `(N, dim)`.

    Args:
        features: array-like `(N, dim)`, of floats of any precision or of
            integers.
        name: str, what the caller calls the argument.

    Returns:
        float32 array `(N, dim)`; the argument itself where it is one already.

    Raises:
        ValueError: if it has another shape, is empty, or holds numbers that
            are not finite in float32.
    """
    features = np.asarray(features)
    if features.ndim != 2 or 0 in features.shape:
        raise ValueError(
            f"`{name}` must be of shape (N, dim) with at least one row and "
            f"one column, received {features.shape}; flatten what has more "
            "axes."
        )
    # bfloat16 arrays have a kind of their own, "V".
    if features.dtype.kind not in "fiubV" or features.dtype.names:
        raise ValueError(
            f"`{name}` must hold real numbers, received the dtype "
            f"{features.dtype}; convert it to float32."
        )
    with np.errstate(over="ignore"):
        features = np.asarray(features, dtype="float32")
    bad = np.count_nonzero(~np.isfinite(features).all(axis=1))
    if bad:
        raise ValueError(
            f"`{name}` must be finite, received NaN or infinity in {bad} of "
            f"{len(features)} rows; look at the training that gave them."
        )
    return features


def as_labels(labels, count=None, name="labels", rows_of="features"):
    """Labels as a vector of integers.

    Args:
        labels: array-like of integers `(N,)`; any values, with or without
            gaps.
        count: int, the length asked for, or None.
        name: str, what the caller calls the argument.
        rows_of: str, the argument whose length `count` is.

    Returns:
        int64 array `(N,)`.

    Raises:
        ValueError: if it is no vector of integers, or of another length.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or labels.size == 0 or labels.dtype.kind not in "iub":
        raise ValueError(
            f"`{name}` must be a vector of integers with at least one entry, "
            f"received shape {labels.shape} of {labels.dtype}; give one "
            "integer for each row."
        )
    if count is not None and len(labels) != count:
        raise ValueError(
            f"`{name}` must have one entry for each row of `{rows_of}`, "
            f"received {len(labels)} for {count} rows."
        )
    return labels.astype("int64")


def check_same_dim(features, others, name, other_name):
    """Refuses features that cannot be compared.

    Args:
        features: array `(N, dim)`.
        others: array `(M, dim)`.
        name: str, what the caller calls the first.
        other_name: str, what the caller calls the second.

    Raises:
        ValueError: if they differ in their number of columns.
    """
    if features.shape[1] != others.shape[1]:
        raise ValueError(
            f"`{other_name}` must have as many columns as `{name}`, received "
            f"{others.shape[1]} and {features.shape[1]}; take both from the "
            "same encoder."
        )


def normalized(features):
    """Rows divided by their Euclidean length; rows of zeros stay zeros.

    Args:
        features: float32 array `(N, dim)`.

    Returns:
        float32 array `(N, dim)`, a copy.
    """
    # By the largest entry first: squares of large or small entries leave
    # the range of float32.
    largest = np.abs(features).max(axis=1, keepdims=True)
    unit = features / np.where(largest > 0, largest, 1)
    length = np.sqrt(np.einsum("ij,ij->i", unit, unit))[:, None]
    unit /= np.where(length > 0, length, 1)
    return unit


def sampled(count, maximum, seed):
    """Which rows to look at, where there are too many for all of them.

    Args:
        count: int, rows that there are.
        maximum: int, rows to take at most, or None for all.
        seed: int, or a `numpy.random.Generator` to draw from.

    Returns:
        Sorted int64 array of at most `maximum` distinct rows.
    """
    if maximum is None or count <= maximum:
        return np.arange(count)
    generator = np.random.default_rng(seed)
    return np.sort(generator.choice(count, maximum, replace=False))
