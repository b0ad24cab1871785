import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from keras_contrastive.evaluation import logistic_regression
from keras_contrastive.evaluation.logistic_regression import (
    logistic_regression_path,
)


def correlated(seed, count, dim, classes):
    """Correlated features of unit variance, and classes that overlap."""
    generator = np.random.default_rng(seed)
    mixing = generator.normal(size=(dim, dim)) * np.logspace(0, -3, dim)
    features = generator.normal(size=(count, dim)) @ mixing.T
    labels = np.argmax(
        features @ generator.normal(size=(dim, classes))
        + 2 * generator.normal(size=(count, classes)),
        axis=1,
    )
    features = (features - features.mean(0)) / features.std(0)
    return features.astype("float32"), labels


def objective(features, labels, weights, intercepts, strength):
    logits = features.astype("float64") @ weights + intercepts
    own = logits[np.arange(len(labels)), labels]
    loss = np.mean(np.log(np.exp(logits).sum(axis=1)) - own)
    return loss + strength / 2 * np.square(weights).sum()


@pytest.mark.parametrize("strength", [1.0, 1e-2, 1e-4])
def test_the_optimum_is_scikit_learns(strength):
    features, labels = correlated(0, 2000, 12, 4)
    ((weights, intercepts),) = logistic_regression_path(
        features, labels, 4, [strength]
    )
    with threadpool_limits(1):
        reference = LogisticRegression(
            C=1 / strength / len(features), tol=1e-7, max_iter=10_000
        ).fit(features.astype("float64"), labels)
    ours = objective(features, labels, weights, intercepts, strength)
    theirs = objective(
        features, labels, reference.coef_.T, reference.intercept_, strength
    )
    assert ours == pytest.approx(theirs, rel=1e-4)
    assert ours > theirs - 1e-6
    agreement = np.argmax(features @ weights + intercepts, axis=1)
    assert np.mean(agreement == reference.predict(features)) > 0.99


def test_a_path_ends_where_each_strength_alone_does():
    features, labels = correlated(1, 2000, 8, 3)
    path = list(logistic_regression_path(features, labels, 3, [1, 0.1, 0.01]))
    for (weights, intercepts), strength in zip(path, [1, 0.1, 0.01]):
        ((alone, offsets),) = logistic_regression_path(
            features, labels, 3, [strength]
        )
        assert objective(
            features, labels, weights, intercepts, strength
        ) == pytest.approx(
            objective(features, labels, alone, offsets, strength), rel=1e-4
        )
    norms = [np.linalg.norm(weights) for weights, _ in path]
    assert norms[0] < norms[1] < norms[2]


def test_gradient_against_finite_differences(monkeypatch):
    features, labels = correlated(2, 50, 4, 3)
    chunks = [(features[:30], labels[:30]), (features[30:], labels[30:])]
    basis = np.random.default_rng(0).normal(size=(4, 4))
    parameters = np.random.default_rng(1).normal(size=15)

    class Pool:
        map = staticmethod(map)

    def value(each):
        return logistic_regression._objective(each, chunks, 3, 0.3, basis, Pool)

    loss, gradient = value(parameters)
    weights = basis @ parameters.reshape(5, 3)[:4]
    assert loss == pytest.approx(
        objective(features, labels, weights, parameters[12:], 0.3), rel=1e-5
    )
    step = 1e-2
    for number in range(15):
        shift = step * (np.arange(15) == number)
        slope = value(parameters + shift)[0] - value(parameters - shift)[0]
        assert gradient[number] == pytest.approx(
            slope / 2 / step, rel=1e-2, abs=1e-3
        )


def test_intercepts_are_free_of_the_penalty():
    labels = np.repeat([0, 1], [90, 10])
    features = np.zeros((100, 3), "float32")
    ((weights, intercepts),) = logistic_regression_path(
        features, labels, 2, [100.0]
    )
    assert not weights.any()
    odds = np.exp(intercepts[0] - intercepts[1])
    assert odds == pytest.approx(9, rel=1e-2)


def test_more_columns_than_rows():
    generator = np.random.default_rng(3)
    features = generator.normal(size=(30, 80)).astype("float32")
    labels = np.arange(30) % 3
    ((weights, intercepts),) = logistic_regression_path(
        features, labels, 3, [1e-3]
    )
    found = np.argmax(features @ weights + intercepts, axis=1)
    np.testing.assert_array_equal(found, labels)
