"""Weighted k-nearest-neighbour classification of frozen features.

    votes of class c = sum over the k nearest j of class c of exp(s_j / t)

where s is the cosine similarity and t the temperature. No parameter is
trained, so it shows what the features themselves know.

Reference: Wu et al. 2018, section 3.4, https://arxiv.org/abs/1805.01978
"""

import numpy as np

from keras_contrastive.evaluation.features import as_features
from keras_contrastive.evaluation.features import as_labels
from keras_contrastive.evaluation.features import check_same_dim
from keras_contrastive.evaluation.features import normalized
from keras_contrastive.evaluation.threads import thread_pool

# Similarities at a time: 32 MiB of them in each thread, whatever the size of
# the bank.
CHUNK = 2**23
# Of so many similarities only the largest is looked at in a first search.
GROUP = 16


def knn_accuracy(
    train_features,
    train_labels,
    test_features,
    test_labels,
    k=200,
    temperature=0.1,
):
    """Accuracy of a weighted vote of the k nearest training features.

    Similarity is the cosine, a neighbour's weight `exp(s / temperature)`.
    The bank should hold features of training images as they are, without
    augmentation. A test label that the bank lacks always counts as wrong.

    Args:
        train_features: floats `(N, dim)`, the bank, any norm.
        train_labels: integers `(N,)`; any values.
        test_features: floats `(M, dim)`, any norm.
        test_labels: integers `(M,)`.
        k: int >= 1, neighbours; no more than the bank holds are taken.
        temperature: float > 0, the paper's tau (0.07 there, 0.1 in most
            later figures for CIFAR-10).

    Returns:
        float in [0, 1].

    Raises:
        ValueError: for a `k` or temperature that is not positive, features
            that are not finite, and lengths or widths that differ.

    Example:

    >>> bank = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]])
    >>> knn_accuracy(bank, [0, 0, 1], [[2.0, 0.1], [0.1, 3.0]], [0, 1], k=2)
    1.0
    """
    test_features = as_features(test_features, "test_features")
    test_labels = as_labels(
        test_labels, len(test_features), "test_labels", "test_features"
    )
    predicted = knn_predict(
        train_features, train_labels, test_features, k, temperature
    )
    return float(np.mean(predicted == test_labels))


def knn_predict(
    train_features, train_labels, test_features, k=200, temperature=0.1
):
    """The label that the k nearest training features vote for.

    Of equally near neighbours those that stand first in the bank are taken;
    of classes with equal votes the smallest label.

    Args:
        train_features: floats `(N, dim)`, the bank, any norm.
        train_labels: integers `(N,)`; any values.
        test_features: floats `(M, dim)`, any norm.
        k: int >= 1, neighbours; no more than the bank holds are taken.
        temperature: float > 0.

    Returns:
        int64 array `(M,)`, values of `train_labels`.

    Raises:
        ValueError: as for `knn_accuracy`.

    Example:

    >>> bank = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]])
    >>> knn_predict(bank, [4, 4, 7], [[2.0, 0.1], [0.1, 3.0]], k=2).tolist()
    [4, 7]
    """
    if k < 1:
        raise ValueError(
            f"`k` must be at least 1, received {k}; 200 is usual on CIFAR-10."
        )
    if not temperature > 0:
        raise ValueError(
            f"`temperature` must be positive, received {temperature}; 0.1 is "
            "usual on CIFAR-10."
        )
    bank = as_features(train_features, "train_features")
    labels = as_labels(
        train_labels, len(bank), "train_labels", "train_features"
    )
    queries = as_features(test_features, "test_features")
    check_same_dim(bank, queries, "train_features", "test_features")
    bank, queries = normalized(bank), normalized(queries)
    classes, labels = np.unique(labels, return_inverse=True)
    rows = max(1, CHUNK // len(bank))
    chunks = [queries[i : i + rows] for i in range(0, len(queries), rows)]
    with thread_pool() as pool:
        winners = pool.map(
            lambda chunk: _votes(
                chunk, bank, labels, len(classes), k, temperature
            ).argmax(axis=1),
            chunks,
        )
        return classes[np.concatenate(list(winners))]


def _votes(queries, bank, labels, num_classes, k, temperature):
    """What each query's neighbours vote for, `(queries, num_classes)`."""
    nearest, columns = _largest(queries @ bank.T, min(k, len(bank)))
    # Less the largest, so that no temperature is too low.
    weights = np.exp((nearest - nearest[:, :1]) / np.float64(temperature))
    cells = np.arange(len(queries))[:, None] * num_classes + labels[columns]
    votes = np.bincount(
        cells.ravel(), weights.ravel(), len(queries) * num_classes
    )
    return votes.reshape(len(queries), num_classes)


def _largest(values, k):
    """The k largest of each row and their columns, in falling order.

    The k-th largest of the groups' maxima is no larger than the k-th largest
    value, and few values reach it: only they are sorted. On a bank of 50,000
    that takes a third of the time of `np.argpartition` on whole rows.
    """
    rows, columns = values.shape
    group = max(1, min(GROUP, columns // k))
    groups = columns // group
    stacked = values[:, : group * groups].reshape(rows, group, groups)
    maxima = stacked.max(axis=1)
    bounds = np.partition(maxima, groups - k, axis=1)[:, groups - k]
    # Flat, since np.nonzero is slow on two axes.
    found = np.flatnonzero(values >= bounds[:, None])
    row, column = np.divmod(found, columns)
    counts = np.bincount(row, minlength=rows)
    place = np.arange(len(found)) - np.repeat(
        np.cumsum(counts) - counts, counts
    )
    candidates = np.full((rows, counts.max()), -np.inf, values.dtype)
    candidates[row, place] = values.ravel()[found]
    candidate_columns = np.zeros(candidates.shape, "int64")
    candidate_columns[row, place] = column
    # Stable: of equal values the first column counts.
    order = np.argsort(-candidates, axis=1, kind="stable")[:, :k]
    return (
        np.take_along_axis(candidates, order, axis=1),
        np.take_along_axis(candidate_columns, order, axis=1),
    )
