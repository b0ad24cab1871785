import tracemalloc

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from keras_contrastive import evaluation
from keras_contrastive.evaluation import knn
from keras_contrastive.evaluation.threads import thread_pool


def random_features(seed, bank=300, queries=80, dim=6, classes=5):
    """Features around class means, with labels that have gaps."""
    generator = np.random.default_rng(seed)
    means = generator.normal(size=(classes, dim))
    labels = generator.integers(classes, size=bank + queries)
    features = means[labels] + generator.normal(size=(len(labels), dim))
    features *= generator.uniform(0.1, 10, size=(len(labels), 1))
    labels = labels * 3 - 2
    return features[:bank], labels[:bank], features[bank:], labels[bank:]


def transcription(bank, bank_labels, queries, k, temperature):
    """The definition, one query and one neighbour at a time."""
    predicted = []
    for query in queries:
        similarities = [
            row @ query / np.linalg.norm(row) / np.linalg.norm(query)
            for row in bank
        ]
        votes = dict.fromkeys(sorted(set(bank_labels)), 0.0)
        order = sorted(range(len(bank)), key=lambda j: -similarities[j])
        for j in order[:k]:
            votes[bank_labels[j]] += np.exp(similarities[j] / temperature)
        predicted.append(max(votes, key=votes.get))
    return np.array(predicted)


@pytest.mark.parametrize("k", [1, 7, 60])
@pytest.mark.parametrize("temperature", [0.05, 1.0])
def test_against_the_definition(k, temperature):
    bank, bank_labels, queries, labels = random_features(0)
    expected = transcription(bank, bank_labels, queries, k, temperature)
    predicted = evaluation.knn_predict(
        bank, bank_labels, queries, k, temperature
    )
    np.testing.assert_array_equal(predicted, expected)
    accuracy = evaluation.knn_accuracy(
        bank, bank_labels, queries, labels, k, temperature
    )
    assert accuracy == pytest.approx(np.mean(expected == labels))
    assert 0.3 < accuracy < 1


def test_temperature_and_k_matter():
    bank, bank_labels, queries, _ = random_features(1)
    predictions = [
        evaluation.knn_predict(bank, bank_labels, queries, k, temperature)
        for k, temperature in [(200, 0.05), (200, 5.0), (5, 0.05)]
    ]
    assert (predictions[0] != predictions[1]).any()
    assert (predictions[0] != predictions[2]).any()


def test_against_scikit_learn_in_chunks(monkeypatch):
    monkeypatch.setattr(knn, "CHUNK", 100_000)
    bank, bank_labels, queries, labels = random_features(2, 6000, 250, 16)
    reference = KNeighborsClassifier(
        200,
        weights=lambda distances: np.exp((1 - distances) / 0.1),
        algorithm="brute",
        metric="cosine",
    ).fit(bank, bank_labels)
    expected = reference.predict(queries)
    predicted = evaluation.knn_predict(bank, bank_labels, queries)
    assert np.mean(predicted == expected) > 0.995
    accuracy = evaluation.knn_accuracy(bank, bank_labels, queries, labels)
    assert accuracy == pytest.approx(np.mean(expected == labels), abs=0.005)


@pytest.mark.parametrize(
    ("rows", "columns", "k"),
    [(3, 5000, 17), (4, 5003, 200), (2, 40, 30), (5, 9, 9), (1, 1, 1)],
)
def test_the_largest_are_those_of_a_stable_sort(rows, columns, k):
    generator = np.random.default_rng(columns)
    # Few distinct values: many ties, also at the k-th place.
    values = generator.integers(50, size=(rows, columns)).astype("float32")
    largest, found = knn._largest(values, k)
    expected = np.argsort(-values, axis=1, kind="stable")[:, :k]
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(
        largest, np.take_along_axis(values, expected, axis=1)
    )


def test_k_is_clipped_to_the_bank():
    bank, bank_labels, queries, labels = random_features(3, bank=20)
    assert evaluation.knn_accuracy(
        bank, bank_labels, queries, labels, k=200
    ) == evaluation.knn_accuracy(bank, bank_labels, queries, labels, k=20)


def test_equal_neighbours_are_taken_in_the_order_of_the_bank():
    bank = np.ones((9, 3))
    labels = [5, 5, 2, 2, 2, 2, 5, 5, 5]
    for k, expected in [(1, 5), (2, 5), (3, 5), (5, 2), (9, 5)]:
        assert evaluation.knn_predict(bank, labels, bank[:2], k).tolist() == [
            expected,
            expected,
        ]


def test_equal_votes_go_to_the_smallest_label():
    bank = np.eye(2)[[0, 0, 0, 0]]
    predicted = evaluation.knn_predict(bank, [8, 1, 8, 1], bank[:1])
    assert predicted.tolist() == [1]


def test_a_label_that_the_bank_lacks_is_wrong():
    bank = np.eye(3)
    accuracy = evaluation.knn_accuracy(bank, [0, 1, 4], bank, [0, 1, 2], k=1)
    assert accuracy == pytest.approx(2 / 3)


def test_one_class_is_always_right():
    bank = np.random.default_rng(0).normal(size=(10, 2))
    assert evaluation.knn_accuracy(bank, [3] * 10, bank, [3] * 10) == 1


def test_a_low_temperature_is_the_nearest_neighbour():
    bank, bank_labels, queries, _ = random_features(4)
    np.testing.assert_array_equal(
        evaluation.knn_predict(bank, bank_labels, queries, 200, 1e-6),
        evaluation.knn_predict(bank, bank_labels, queries, 1),
    )


def test_float16_features_do():
    bank, bank_labels, queries, labels = random_features(5)
    half = evaluation.knn_accuracy(
        bank.astype("float16"), bank_labels, queries.astype("float16"), labels
    )
    full = evaluation.knn_accuracy(bank, bank_labels, queries, labels)
    assert half == pytest.approx(full, abs=0.03)


def test_bad_input_is_refused():
    bank, bank_labels, queries, labels = random_features(6)
    whole = (bank, bank_labels, queries, labels)
    with pytest.raises(ValueError, match="`k` .* received 0"):
        evaluation.knn_accuracy(*whole, k=0)
    for temperature in (0, -0.1, np.nan):
        with pytest.raises(ValueError, match=f"received {temperature}"):
            evaluation.knn_accuracy(*whole, temperature=temperature)
    with pytest.raises(ValueError, match="`test_features` .* 5 and 6"):
        evaluation.knn_accuracy(bank, bank_labels, queries[:, :5], labels)
    with pytest.raises(ValueError, match="`train_labels` .* 299 for 300"):
        evaluation.knn_accuracy(bank, bank_labels[:-1], queries, labels)
    with pytest.raises(ValueError, match="`test_labels` .* 79 for 80"):
        evaluation.knn_accuracy(bank, bank_labels, queries, labels[1:])
    bank = bank.copy()
    bank[[3, 8]] = np.nan
    with pytest.raises(ValueError, match="`train_features` .* 2 of 300 rows"):
        evaluation.knn_accuracy(bank, bank_labels, queries, labels)


@pytest.mark.parametrize(
    ("alike", "bytes_a_thread"), [(False, 150e6), (True, 700e6)]
)
def test_memory_is_bounded(alike, bytes_a_thread):
    """All similarities of the first would be 800 MB.

    Where all are alike, each is a candidate to be the nearest.
    """
    generator = np.random.default_rng(0)
    bank = generator.normal(size=(50_000, 8)).astype("float32")
    if alike:
        bank[:] = bank[:1]
    labels = np.arange(len(bank)) % 10
    with thread_pool() as pool:
        threads = pool._max_workers
    tracemalloc.start()
    knn.knn_predict(bank, labels, bank[: 1000 if alike else 4000])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < threads * bytes_a_thread
