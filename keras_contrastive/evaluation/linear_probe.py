"""Accuracy of a linear classifier on frozen features: the linear probe.

Multinomial logistic regression on features that are standardized by the
training features' means and deviations. The strength of its L2 penalty is
chosen on validation features; test features are seen once, at the end.
"""

import numpy as np

from keras_contrastive.evaluation.features import as_features
from keras_contrastive.evaluation.features import as_labels
from keras_contrastive.evaluation.features import check_same_dim
from keras_contrastive.evaluation.logistic_regression import (
    logistic_regression_path,
)

STRENGTHS = (1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
HELD_OUT = 0.1


def linear_probe_accuracy(
    train_features,
    train_labels,
    test_features,
    test_labels,
    validation_features=None,
    validation_labels=None,
    strengths=STRENGTHS,
    seed=0,
):
    """Test accuracy of logistic regression on frozen features.

    Args:
        train_features: floats `(N, dim)`.
        train_labels: integers `(N,)`; any values.
        test_features: floats `(M, dim)`.
        test_labels: integers `(M,)`; one that `train_labels` lacks counts as
            wrong.
        validation_features: floats `(V, dim)`, or None.
        validation_labels: integers `(V,)`, or None.
        strengths: floats > 0, the penalties to choose from.
        seed: int, for what is held out.

    Returns:
        float in [0, 1].

    Raises:
        ValueError: as `linear_probe_predict`.

    Example:

    >>> features = np.random.default_rng(0).normal(size=(300, 8))
    >>> labels = (features[:, 0] > 0).astype(int)
    >>> linear_probe_accuracy(
    ...     features[:200], labels[:200], features[200:], labels[200:]
    ... ) > 0.9
    True
    """
    test_features, test_labels = _checked(test_features, test_labels, "test")
    predicted = linear_probe_predict(
        train_features,
        train_labels,
        test_features,
        validation_features,
        validation_labels,
        strengths,
        seed,
    )
    return float(np.mean(predicted == test_labels))


def linear_probe_predict(
    train_features,
    train_labels,
    test_features,
    validation_features=None,
    validation_labels=None,
    strengths=STRENGTHS,
    seed=0,
):
    """Labels that logistic regression on frozen features predicts.

    `mean cross-entropy + (strength / 2) ||W||^2` on standardized features,
    for each strength; the one of the highest accuracy on the validation
    features is taken, the stronger of equals. Without validation features a
    tenth of the training ones is held out, class by class, to choose with;
    the probe is then fitted to all of them.

    Args:
        train_features: floats `(N, dim)`.
        train_labels: integers `(N,)`; any values.
        test_features: floats `(M, dim)`.
        validation_features: floats `(V, dim)`, or None.
        validation_labels: integers `(V,)`, or None.
        strengths: floats > 0, the penalties to choose from.
        seed: int, for what is held out.

    Returns:
        Array `(M,)` of values of `train_labels`.

    Raises:
        ValueError: for features that are not finite, lengths or widths that
            differ, strengths that are not positive, validation features
            without labels, or too few training features to hold any out.

    Example:

    >>> features = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    >>> labels = np.array([3, 3, 7, 7])
    >>> linear_probe_predict(features, labels, np.array([[-3.0], [3.0]]))
    array([3, 7])
    """
    strengths = sorted(strengths, reverse=True)
    if not strengths or not strengths[-1] > 0:
        raise ValueError(
            f"`strengths` must be positive numbers, received {strengths}; "
            "1e-6 is hardly any penalty."
        )
    if (validation_features is None) != (validation_labels is None):
        raise ValueError(
            "`validation_features` and `validation_labels` go together, "
            "received one of them; give both, or none."
        )
    train = _checked(train_features, train_labels, "train")
    test_features = as_features(test_features, "test_features")
    check_same_dim(train[0], test_features, "train_features", "test_features")
    if validation_features is None:
        fitted, held_out = _hold_out(train[1], seed)
        scores = [
            probe.accuracy(*(each[held_out] for each in train))
            for probe in _probes(*(each[fitted] for each in train), strengths)
        ]
        best = strengths[int(np.argmax(scores))]
        (probe,) = _probes(*train, [best])
        return probe.predict(test_features)
    validation = _checked(validation_features, validation_labels, "validation")
    check_same_dim(
        train[0], validation[0], "train_features", "validation_features"
    )
    # The first of equals, which is the stronger one.
    probe = max(
        _probes(*train, strengths),
        key=lambda probe: probe.accuracy(*validation),
    )
    return probe.predict(test_features)


class _Probe:
    """A linear classifier, and the scale of the features it was fitted to."""

    def __init__(self, classes, mean, deviation, weights, intercepts):
        self.classes = classes
        self.mean = mean
        self.deviation = deviation
        self.weights = weights
        self.intercepts = intercepts

    def predict(self, features):
        features = (features - self.mean) / self.deviation
        logits = features @ self.weights + self.intercepts
        return self.classes[logits.argmax(axis=1)]

    def accuracy(self, features, labels):
        return float(np.mean(self.predict(features) == labels))


def _probes(features, labels, strengths):
    """Yields a probe for each strength."""
    classes, labels = np.unique(labels, return_inverse=True)
    mean = features.mean(axis=0, dtype="float64").astype("float32")
    features = features - mean
    squares = np.einsum("ij,ij->j", features, features)
    deviation = np.sqrt(squares / len(features))
    deviation[deviation == 0] = 1
    features /= deviation
    path = logistic_regression_path(features, labels, len(classes), strengths)
    for weights, intercepts in path:
        yield _Probe(classes, mean, deviation, weights, intercepts)


def _hold_out(labels, seed):
    """Rows to fit to and rows to choose with, a tenth of each class."""
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(labels))
    held_out = []
    for label in np.unique(labels):
        members = order[labels[order] == label]
        # A class of one row stays with what is fitted.
        count = (
            max(1, round(HELD_OUT * len(members))) if len(members) > 1 else 0
        )
        held_out.append(members[:count])
    held_out = np.sort(np.concatenate(held_out))
    if not len(held_out):
        raise ValueError(
            f"`train_labels` have no label twice among {len(labels)}, so "
            "nothing can be held out to choose the penalty; give "
            "`validation_features` and `validation_labels`."
        )
    return np.setdiff1d(np.arange(len(labels)), held_out), held_out


def _checked(features, labels, part):
    """Features and labels of a part, checked."""
    name = f"{part}_features"
    features = as_features(features, name)
    labels = as_labels(labels, len(features), f"{part}_labels", name)
    return features, labels
