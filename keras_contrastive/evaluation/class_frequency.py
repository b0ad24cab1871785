"""Accuracy over classes of many, of medium and of few training images.

On a long tail the mean over all test images hides what becomes of the rare
classes. As in the literature on long tails, classes are told apart by how
many training images they have, and tested on equally many each.
"""

import numpy as np

from keras_contrastive.evaluation.features import as_labels

GROUPS = ("many", "medium", "few")


def accuracy_by_frequency(labels, predictions, train_counts):
    """Accuracy over frequent, medium and rare classes.

    Each class's share of right predictions, averaged over a group's classes.
    The classes, ordered by their training images, are cut into three groups
    as equal as can be; of ten classes four are medium.

    Args:
        labels: integers `(N,)`, the classes of the test images, in 0 .. C - 1.
        predictions: integers `(N,)`.
        train_counts: integers `(C,)`, training images of each class.

    Returns:
        Dict of floats in [0, 1]: `all` (mean over the classes), `many`,
        `medium`, `few`, and `deviation` over the three groups. A group whose
        classes have no test image is NaN.

    Raises:
        ValueError: for lengths that differ, labels beyond the counts, or
            fewer than three classes.

    Example:

    >>> labels = np.repeat([0, 1, 2], 2)
    >>> figures = accuracy_by_frequency(labels, [0, 0, 1, 0, 0, 0], [9, 5, 1])
    >>> [figures[group] for group in ("many", "medium", "few")]
    [1.0, 0.5, 0.0]

    Reference:
        Jiang et al. 2021 (SDCLR), https://arxiv.org/abs/2106.02990
    """
    labels = as_labels(labels, len(predictions), "labels", "predictions")
    predictions = np.asarray(predictions)
    counts = np.asarray(train_counts)
    if len(counts) < len(GROUPS) or labels.max() >= len(counts):
        raise ValueError(
            "`train_counts` must name the training images of each class, of "
            f"three at least, received {len(counts)} counts for labels up to "
            f"{labels.max()}."
        )
    with np.errstate(invalid="ignore"):
        right = np.bincount(
            labels, weights=predictions == labels, minlength=len(counts)
        ) / np.bincount(labels, minlength=len(counts))
    # Stable, so that classes of equal counts stay in their order.
    order = np.argsort(-counts, kind="stable")
    third = round(len(counts) / 3)
    groups = (order[:third], order[third : len(order) - third], order[-third:])
    means = [_mean(right[group]) for group in groups]
    return {
        "all": _mean(right),
        **dict(zip(GROUPS, means)),
        "deviation": float(np.std(means)),
    }


def _mean(values):
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else float("nan")
