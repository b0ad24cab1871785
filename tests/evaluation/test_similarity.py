import itertools

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from keras_contrastive import evaluation
from keras_contrastive.evaluation import similarity

SIMILARITIES = {
    "dot": lambda a, b: a @ b,
    "euclidean": lambda a, b: -np.linalg.norm(a - b),
    "cosine": lambda a, b: a @ b / np.linalg.norm(a) / np.linalg.norm(b),
}


def random_features(seed=0, count=90, dim=5):
    generator = np.random.default_rng(seed)
    labels = generator.choice(
        [-4, 0, 3, 9], p=[0.6, 0.2, 0.15, 0.05], size=count
    )
    means = {label: generator.normal(size=dim) for label in np.unique(labels)}
    features = np.array([means[label] for label in labels])
    features += generator.normal(size=features.shape) + 0.5
    features *= generator.uniform(0.5, 2, size=(count, 1))
    return features, labels


def brute_force(features, labels, measure):
    pairs = list(itertools.combinations(range(len(features)), 2))
    scores = [SIMILARITIES[measure](features[i], features[j]) for i, j in pairs]
    return roc_auc_score([labels[i] == labels[j] for i, j in pairs], scores)


@pytest.mark.parametrize("measure", SIMILARITIES)
@pytest.mark.parametrize("chunk", [7, 512])
def test_against_scikit_learn_on_all_pairs(measure, chunk, monkeypatch):
    monkeypatch.setattr(similarity, "CHUNK", chunk)
    features, labels = random_features()
    found = evaluation.similarity_auroc(features, labels, measure)
    expected = brute_force(features, labels, measure)
    assert found == pytest.approx(expected, abs=1e-6)


def test_measures_differ_and_agree_on_unit_length():
    features, labels = random_features()
    found = {
        measure: evaluation.similarity_auroc(features, labels, measure)
        for measure in SIMILARITIES
    }
    assert len({round(value, 4) for value in found.values()}) == 3
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    for measure in SIMILARITIES:
        assert evaluation.similarity_auroc(
            unit, labels, measure
        ) == pytest.approx(found["cosine"], abs=1e-4)


@pytest.mark.parametrize("measure", SIMILARITIES)
@pytest.mark.parametrize("scale", [1e-25, 1e25])
def test_scale_changes_nothing(measure, scale):
    features, labels = random_features()
    assert evaluation.similarity_auroc(
        features * scale, labels, measure
    ) == pytest.approx(
        evaluation.similarity_auroc(features, labels, measure), abs=1e-4
    )


def test_distances_far_from_the_origin():
    features, labels = random_features()
    assert evaluation.similarity_auroc(
        features + 30_000, labels, "euclidean"
    ) == pytest.approx(brute_force(features, labels, "euclidean"), abs=1e-3)


@pytest.mark.parametrize("measure", SIMILARITIES)
def test_constant_features_are_chance(measure):
    labels = np.arange(40) % 3
    for value in (0, 2):
        features = np.full((40, 4), value, "float16")
        assert evaluation.similarity_auroc(features, labels, measure) == 0.5


def test_ties_count_as_halves():
    features, labels = random_features()
    rounded = np.round(features)
    assert evaluation.similarity_auroc(rounded, labels) == pytest.approx(
        brute_force(rounded, labels, "dot"), abs=1e-6
    )


@pytest.mark.parametrize("labels", [[1] * 6, list(range(6)), [1]])
def test_pairs_of_one_kind_have_no_auroc(labels):
    features = np.random.default_rng(0).normal(size=(len(labels), 3))
    assert np.isnan(evaluation.similarity_auroc(features, labels))


def test_many_rows_are_sampled():
    features, labels = random_features(count=3000)
    whole = evaluation.similarity_auroc(features, labels)
    sample = evaluation.similarity_auroc(features, labels, max_features=800)
    again = evaluation.similarity_auroc(features, labels, max_features=800)
    assert sample == again != whole
    assert sample == pytest.approx(whole, abs=0.03)


def test_bad_input_is_refused():
    features, labels = random_features()
    with pytest.raises(ValueError, match="received 'manhattan'"):
        evaluation.similarity_auroc(features, labels, "manhattan")
    with pytest.raises(ValueError, match="received 89 for 90 rows"):
        evaluation.similarity_auroc(features, labels[1:])
    with pytest.raises(ValueError, match="`max_features` .* received 1"):
        evaluation.similarity_auroc(features, labels, max_features=1)
