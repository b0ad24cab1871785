import json

import numpy as np
import pytest

from keras_contrastive import evaluation

FIGURES = [
    "clustering_accuracy",
    "clustering_accuracy_std",
    "nmi",
    "ari",
    "purity",
    "knn_accuracy",
    "linear_probe_accuracy",
    "similarity_auroc_dot",
    "similarity_auroc_euclidean",
    "uniformity",
    "effective_rank",
    "spread",
    "collapsed",
]
VALIDATION_FIGURES = [f"validation_{name}" for name in FIGURES[:5]]


def part(seed, count):
    generator = np.random.default_rng(0)
    means = generator.normal(size=(4, 10))
    generator = np.random.default_rng(seed)
    labels = generator.permutation(np.arange(count) % 4)
    features = means[labels] + 1.2 * generator.normal(size=(count, 10))
    return features, labels


TRAIN, VALIDATION, TEST = part(1, 400), part(2, 100), part(3, 200)


def test_every_figure_is_that_of_its_function():
    figures = evaluation.evaluate_features(*TRAIN, *TEST, *VALIDATION, seed=5)
    assert list(figures) == FIGURES + VALIDATION_FIGURES
    clustered = evaluation.clustering_figures(*TEST, 4, seed=5)
    for name, value in clustered.items():
        assert figures[name] == value
    clustered = evaluation.clustering_figures(*VALIDATION, 4, seed=5)
    for name, value in clustered.items():
        assert figures[f"validation_{name}"] == value
    expected = {
        "knn_accuracy": evaluation.knn_accuracy(*TRAIN, *TEST),
        "linear_probe_accuracy": evaluation.linear_probe_accuracy(
            *TRAIN, *TEST, *VALIDATION
        ),
        "similarity_auroc_dot": evaluation.similarity_auroc(*TEST, "dot"),
        "similarity_auroc_euclidean": evaluation.similarity_auroc(
            *TEST, "euclidean"
        ),
        "uniformity": evaluation.uniformity(TEST[0]),
        "effective_rank": evaluation.effective_rank(TEST[0]),
        "spread": evaluation.spread(TEST[0]),
        "collapsed": False,
    }
    for name, value in expected.items():
        assert figures[name] == value, name


def test_figures_are_plain_numbers():
    figures = evaluation.evaluate_features(*TRAIN, *TEST)
    assert list(figures) == FIGURES
    assert json.loads(json.dumps(figures)) == figures
    assert figures["collapsed"] is False
    assert all(type(figures[name]) is float for name in FIGURES[:-1])


def test_classes_are_counted_from_all_parts():
    few, few_train = [
        (features[labels < 3], labels[labels < 3])
        for features, labels in (TEST, TRAIN)
    ]
    clustered = evaluation.kmeans_clustering(few[0], 4)
    expected = np.mean([evaluation.purity(few[1], run) for run in clustered])
    for others in [(TRAIN, ()), (few_train, VALIDATION)]:
        with pytest.warns(UserWarning, match="4 clusters .* 3 classes"):
            figures = evaluation.evaluate_features(*others[0], *few, *others[1])
        assert figures["purity"] == expected


def test_the_number_of_clusters_may_be_given():
    with pytest.warns(UserWarning, match="2 clusters .* 4 classes"):
        figures = evaluation.evaluate_features(*TRAIN, *TEST, num_classes=2)
    runs = evaluation.kmeans_clustering(TEST[0], 2)
    assert figures["nmi"] == np.mean([evaluation.nmi(TEST[1], r) for r in runs])


def test_collapsed_features_are_measured_too():
    ones = np.ones((40, 3), "float16")
    labels = np.arange(40) % 2
    with pytest.warns(UserWarning, match="1 clusters .* 2 classes"):
        figures = evaluation.evaluate_features(ones, labels, ones, labels)
    assert figures["collapsed"] is True
    assert figures["clustering_accuracy"] == 0.5
    assert figures["similarity_auroc_dot"] == 0.5
    assert figures["knn_accuracy"] == figures["linear_probe_accuracy"] == 0.5


def test_one_class_is_measured_too():
    labels = np.zeros(30, "int64")
    features = np.random.default_rng(0).normal(size=(30, 3))
    figures = evaluation.evaluate_features(features, labels, features, labels)
    assert figures["clustering_accuracy"] == figures["knn_accuracy"] == 1
    assert np.isnan(figures["similarity_auroc_dot"])


def test_features_that_are_not_finite_are_refused_by_name():
    features = TEST[0].copy()
    features[3] = np.nan
    with pytest.raises(ValueError, match="`test_features` .* 1 of 200 rows"):
        evaluation.evaluate_features(*TRAIN, features, TEST[1])
    with pytest.raises(ValueError, match="`train_features` .* 1 of 200 rows"):
        evaluation.evaluate_features(features, TEST[1], *TEST)


def test_fewer_images_than_classes_are_not_clustered():
    few = TEST[0][:3], TEST[1][:3]
    with pytest.warns(UserWarning, match="3 test images are too few for 4"):
        figures = evaluation.evaluate_features(*TRAIN, *few, *VALIDATION)
    assert not set(FIGURES[:5]) & figures.keys()
    assert set(VALIDATION_FIGURES) <= figures.keys()
    assert 0 <= figures["knn_accuracy"] <= 1
