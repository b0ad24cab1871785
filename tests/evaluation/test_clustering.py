import itertools
import warnings

import numpy as np
import pytest
from sklearn import metrics

from keras_contrastive import evaluation


def random_clusters(seed, count=60, classes=4, clusters=4, agree=0.4):
    """Labels with gaps, and clusters that agree with some of them."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(classes, size=count)
    found = generator.integers(clusters, size=count)
    keep = generator.random(count) < agree
    found[keep] = labels[keep] % clusters
    return labels * 7 - 3, found * 5 + 2


def best_over_all_maps(labels, clusters):
    classes, names = np.unique(labels), np.unique(clusters)
    classes = list(classes) + [None] * max(0, len(names) - len(classes))
    return max(
        np.mean(
            [labels[i] == m[list(names).index(clusters[i])]
             for i in range(len(labels))]
        )
        for m in itertools.permutations(classes, len(names))
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_accuracy_is_the_best_of_all_maps(seed):
    labels, clusters = random_clusters(seed)
    accuracy = evaluation.clustering_accuracy(labels, clusters)
    assert accuracy == pytest.approx(best_over_all_maps(labels, clusters))
    assert accuracy <= evaluation.purity(labels, clusters)


@pytest.mark.parametrize(("classes", "clusters"), [(3, 5), (5, 3)])
def test_unequal_numbers_are_matched_and_flagged(classes, clusters):
    labels, found = random_clusters(1, classes=classes, clusters=clusters)
    with pytest.warns(UserWarning, match=f"{clusters} .* {classes} classes"):
        accuracy = evaluation.clustering_accuracy(labels, found)
    assert accuracy == pytest.approx(best_over_all_maps(labels, found))


def test_equal_numbers_are_not_flagged():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        evaluation.clustering_accuracy([0, 1, 1], [5, 9, 5])


def test_renaming_clusters_changes_nothing():
    labels = np.arange(100) % 10
    renamed = np.random.default_rng(0).permutation(10)[labels]
    assert evaluation.clustering_accuracy(labels, renamed) == 1
    assert evaluation.purity(labels, renamed) == 1
    assert evaluation.nmi(labels, renamed) == pytest.approx(1)
    assert evaluation.ari(labels, renamed) == pytest.approx(1)


def test_purity_is_the_commonest_class_of_each_cluster():
    labels, clusters = random_clusters(2, clusters=9)
    expected = sum(
        max(np.sum(labels[clusters == c] == y) for y in np.unique(labels))
        for c in np.unique(clusters)
    ) / len(labels)
    assert evaluation.purity(labels, clusters) == pytest.approx(expected)
    assert evaluation.purity(labels, np.arange(len(labels))) == 1


def test_nmi_by_its_definition():
    labels, clusters = random_clusters(3)
    joint = metrics.cluster.contingency_matrix(labels, clusters) / len(labels)

    def entropy(p):
        return -(p[p > 0] * np.log(p[p > 0])).sum()

    rows, columns = entropy(joint.sum(0)), entropy(joint.sum(1))
    mutual = rows + columns - entropy(joint)
    expected = mutual / ((rows + columns) / 2)
    assert evaluation.nmi(labels, clusters) == pytest.approx(expected)


def test_ari_by_its_definition():
    labels, clusters = random_clusters(4)
    pairs = list(itertools.combinations(range(len(labels)), 2))
    same_class = np.array([labels[i] == labels[j] for i, j in pairs])
    same_cluster = np.array([clusters[i] == clusters[j] for i, j in pairs])
    both = np.sum(same_class & same_cluster)
    chance = same_class.sum() * same_cluster.sum() / len(pairs)
    most = (same_class.sum() + same_cluster.sum()) / 2
    expected = (both - chance) / (most - chance)
    assert evaluation.ari(labels, clusters) == pytest.approx(expected)


@pytest.mark.parametrize(
    "name", ["clustering_accuracy", "purity", "nmi", "ari"]
)
def test_bad_input_is_refused(name):
    figure = getattr(evaluation, name)
    with pytest.raises(ValueError, match="received 3 for 2 rows"):
        figure([0, 1], [0, 1, 1])
    with pytest.raises(ValueError, match="vector of integers"):
        figure([], [])
    with pytest.raises(ValueError, match="vector of integers"):
        figure([0, 1], [0.5, 1.0])


def test_one_class_is_fully_right():
    assert evaluation.clustering_accuracy([4, 4], [1, 1]) == 1
    assert evaluation.nmi([4, 4], [1, 1]) == 1


def test_figures_are_means_over_the_seeds():
    generator = np.random.default_rng(0)
    features = generator.normal(size=(120, 5))
    labels = generator.integers(3, size=120)
    figures = evaluation.clustering_figures(features, labels, n_init=1, seed=8)
    runs = evaluation.kmeans_clustering(features, 3, n_init=1, seed=8)
    assert len(runs) == 5
    for name in ("clustering_accuracy", "nmi", "ari", "purity"):
        each = [getattr(evaluation, name)(labels, run) for run in runs]
        assert figures[name] == pytest.approx(np.mean(each)), name
    each = [evaluation.clustering_accuracy(labels, run) for run in runs]
    expected = np.sqrt(np.sum((each - np.mean(each)) ** 2) / 4)
    assert expected > 0
    assert figures["clustering_accuracy_std"] == pytest.approx(expected)


def test_more_clusters_on_demand():
    labels = np.arange(200) % 4
    features = np.random.default_rng(0).normal(size=(200, 5))
    with pytest.warns(UserWarning, match="8 clusters"):
        figures = evaluation.clustering_figures(features, labels, 8, seeds=1)
    assert figures["clustering_accuracy_std"] == 0
    assert figures["purity"] > figures["clustering_accuracy"]
