"""Clusters against classes: accuracy, purity, NMI and ARI.

    accuracy = max over one-to-one maps m of mean_i [label_i = m(cluster_i)]

The map is found by the Hungarian method on the table of counts. Purity lets
every cluster choose its commonest class, so it is never below the accuracy,
and it grows with the number of clusters.
"""

import warnings

import numpy as np

from keras_contrastive.evaluation.features import as_labels
from keras_contrastive.evaluation.k_means import kmeans_clustering


def clustering_accuracy(labels, clusters):
    """Share of images that the best one-to-one matching gets right.

    Each cluster is matched with at most one class and each class with at
    most one cluster (Hungarian method). Where their numbers differ, images
    of unmatched clusters or classes count as wrong, and a warning says so:
    such a figure must not stand beside those of as many clusters as classes.

    Args:
        labels: integers `(N,)`, the classes.
        clusters: integers `(N,)`, the clusters; any names.

    Returns:
        float in (0, 1].

    Raises:
        ValueError: if they are not vectors of integers of the same length.

    Example:

    >>> clustering_accuracy([0, 0, 1, 1], [7, 7, 3, 7])
    0.75

    Reference: Kuhn 1955; used as ACC in Xie et al. 2016, eq. 10,
    https://arxiv.org/abs/1511.06335
    """
    from scipy.optimize import linear_sum_assignment

    counts = _count_table(labels, clusters)
    num_clusters, num_classes = counts.shape
    if num_clusters != num_classes:
        warnings.warn(
            f"{num_clusters} clusters are matched one to one with "
            f"{num_classes} classes: what is left over counts as wrong, and "
            "the accuracy does not compare with that of as many clusters as "
            "classes.",
            stacklevel=2,
        )
    matched = counts[linear_sum_assignment(counts, maximize=True)]
    return float(matched.sum() / counts.sum())


def purity(labels, clusters):
    """Share of images that are in the commonest class of their cluster.

    Args:
        labels: integers `(N,)`, the classes.
        clusters: integers `(N,)`, the clusters; as many as you like.

    Returns:
        float in (0, 1].

    Raises:
        ValueError: if they are not vectors of integers of the same length.

    Example:

    >>> purity([0, 0, 1, 1], [0, 1, 2, 3])
    1.0
    """
    counts = _count_table(labels, clusters)
    return float(counts.max(axis=1).sum() / counts.sum())


def nmi(labels, clusters):
    """Normalized mutual information: 0 is independent, 1 the same.

    `I(labels; clusters)` over the arithmetic mean of the two entropies.

    Args:
        labels: integers `(N,)`, the classes.
        clusters: integers `(N,)`, the clusters.

    Returns:
        float in [0, 1].

    Raises:
        ValueError: if they are not vectors of integers of the same length.

    Example:

    >>> round(nmi([0, 0, 1, 1], [1, 1, 0, 0]), 6)
    1.0
    """
    from sklearn.metrics import normalized_mutual_info_score

    return float(normalized_mutual_info_score(*_checked(labels, clusters)))


def ari(labels, clusters):
    """Adjusted Rand index: pairs on which both agree, 0 is chance.

    Args:
        labels: integers `(N,)`, the classes.
        clusters: integers `(N,)`, the clusters.

    Returns:
        float in [-0.5, 1].

    Raises:
        ValueError: if they are not vectors of integers of the same length.

    Example:

    >>> ari([0, 0, 1, 1], [1, 1, 0, 0])
    1.0

    Reference: Hubert and Arabie 1985.
    """
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(*_checked(labels, clusters)))


def clustering_figures(
    features, labels, num_clusters=None, seeds=5, n_init=20, seed=0
):
    """Every clustering figure of features, by k-means that sees no labels.

    The mean over the seeds of k-means (see `kmeans_clustering`); of the
    accuracy the standard deviation (n - 1) too.

    Args:
        features: floats `(N, dim)`, any norm (normalized here).
        labels: integers `(N,)`, the classes.
        num_clusters: int; by default as many as there are classes.
        seeds: int, how often k-means is repeated.
        n_init: int, initializations of each, of which the one of the lowest
            inertia counts.
        seed: int.

    Returns:
        Dict of floats: `clustering_accuracy`, `clustering_accuracy_std`,
        `nmi`, `ari`, `purity`.

    Raises:
        ValueError: for features that are not finite, or labels of another
            length.

    Example:

    >>> features = np.repeat(np.eye(3), 20, axis=0)
    >>> figures = clustering_figures(features, np.repeat([0, 1, 2], 20))
    >>> figures["clustering_accuracy"], figures["clustering_accuracy_std"]
    (1.0, 0.0)
    """
    labels = as_labels(labels, len(features))
    if num_clusters is None:
        num_clusters = len(np.unique(labels))
    runs = kmeans_clustering(features, num_clusters, seeds, n_init, seed)
    accuracies = [clustering_accuracy(labels, run) for run in runs]
    return {
        "clustering_accuracy": float(np.mean(accuracies)),
        "clustering_accuracy_std": (
            float(np.std(accuracies, ddof=1)) if seeds > 1 else 0.0
        ),
        "nmi": float(np.mean([nmi(labels, run) for run in runs])),
        "ari": float(np.mean([ari(labels, run) for run in runs])),
        "purity": float(np.mean([purity(labels, run) for run in runs])),
    }


def _checked(labels, clusters):
    labels = as_labels(labels)
    return labels, as_labels(clusters, len(labels), "clusters", "labels")


def _count_table(labels, clusters):
    """How many images each cluster (row) has of each class (column)."""
    labels, clusters = _checked(labels, clusters)
    classes, labels = np.unique(labels, return_inverse=True)
    names, clusters = np.unique(clusters, return_inverse=True)
    cells = clusters * len(classes) + labels
    counts = np.bincount(cells, minlength=len(names) * len(classes))
    return counts.reshape(len(names), len(classes))
