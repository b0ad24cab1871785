"""Everything that is measured on features, by one protocol, at once."""

import warnings

import numpy as np

from keras_contrastive.evaluation.clustering import clustering_figures
from keras_contrastive.evaluation.features import as_features
from keras_contrastive.evaluation.features import as_labels
from keras_contrastive.evaluation.geometry import collapsed
from keras_contrastive.evaluation.geometry import effective_rank
from keras_contrastive.evaluation.geometry import spread
from keras_contrastive.evaluation.geometry import uniformity
from keras_contrastive.evaluation.knn import knn_accuracy
from keras_contrastive.evaluation.linear_probe import linear_probe_accuracy
from keras_contrastive.evaluation.similarity import similarity_auroc


def evaluate_features(
    train_features,
    train_labels,
    test_features,
    test_labels,
    validation_features=None,
    validation_labels=None,
    num_classes=None,
    seed=0,
    k=200,
    temperature=0.1,
    probe=True,
):
    """Every figure of frozen features, by a protocol fixed in advance.

    Features are those of un-augmented images in inference mode, after the
    last epoch. k-means is fitted and scored on the test features, with as
    many clusters as classes, 5 seeds of 20 initializations, and sees no
    labels; the training features are the bank of kNN and what the linear
    probe is fitted to; the probe's penalty is chosen on the validation
    features (a tenth of the training features without them). Where there are
    validation features, they are clustered by themselves too.

    Args:
        train_features: floats `(N, dim)`.
        train_labels: integers `(N,)`.
        test_features: floats `(M, dim)`.
        test_labels: integers `(M,)`.
        validation_features: floats `(V, dim)`, or None.
        validation_labels: integers `(V,)`, or None.
        num_classes: int, the clusters; by default as many as there are
            labels in all parts together.
        seed: int.
        k: int >= 1, neighbours of kNN.
        temperature: float > 0, of kNN.
        probe: bool, whether to fit the linear probe, on wide features the
            slowest figure by far.

    Returns:
        Dict of floats: `clustering_accuracy` (mean over the seeds of
        k-means), `clustering_accuracy_std` (over the same), `nmi`, `ari`,
        `purity`, `knn_accuracy`, `linear_probe_accuracy`,
        `similarity_auroc_dot` and `similarity_auroc_euclidean` (on features
        as they are), `uniformity`, `effective_rank`, `spread`, and the bool
        `collapsed`; with validation features also `validation_` and the
        names of the five clustering figures. Of images that are fewer than
        the classes these five are left out, and a warning says so.

    Raises:
        ValueError: for features that are not finite, and lengths or widths
            that differ.

    Example:

    >>> features = np.random.default_rng(0).normal(size=(90, 8))
    >>> labels = np.arange(90) % 3
    >>> figures = evaluate_features(
    ...     features[:60], labels[:60], features[60:], labels[60:]
    ... )
    >>> figures["collapsed"], 0 <= figures["knn_accuracy"] <= 1
    (False, True)
    """
    test_features = as_features(test_features, "test_features")
    test_labels = as_labels(
        test_labels, len(test_features), "test_labels", "test_features"
    )
    train = (train_features, train_labels)
    test = (test_features, test_labels)
    validation = (validation_features, validation_labels)
    if num_classes is None:
        given = [train_labels, test_labels]
        if validation_labels is not None:
            given.append(validation_labels)
        num_classes = len(np.unique(np.concatenate(given)))
    figures = {
        **_clustered(*test, num_classes, seed, "test"),
        "knn_accuracy": knn_accuracy(*train, *test, k, temperature),
    }
    if probe:
        figures["linear_probe_accuracy"] = linear_probe_accuracy(
            *train, *test, *validation, seed=seed
        )
    figures |= {
        "similarity_auroc_dot": similarity_auroc(*test, "dot", seed=seed),
        "similarity_auroc_euclidean": similarity_auroc(
            *test, "euclidean", seed=seed
        ),
        "uniformity": uniformity(test_features, seed=seed),
        "effective_rank": effective_rank(test_features),
        "spread": spread(test_features),
        "collapsed": collapsed(test_features),
    }
    if validation_features is not None:
        clustered = _clustered(*validation, num_classes, seed, "validation")
        figures.update(
            {f"validation_{name}": x for name, x in clustered.items()}
        )
    return figures


def _clustered(features, labels, num_classes, seed, part):
    if len(features) >= num_classes:
        return clustering_figures(features, labels, num_classes, seed=seed)
    warnings.warn(
        f"{len(features)} {part} images are too few for {num_classes} "
        "clusters, one for each class; their clustering is not measured.",
        stacklevel=3,
    )
    return {}
