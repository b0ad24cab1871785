import numpy as np

from keras_contrastive import metrics

LABELS = np.array([0, 1, 0, 1, 2, 0])


def by_loops(labels, embeddings):
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    found = []
    for i, anchor in enumerate(unit):
        others = [j for j in range(len(unit)) if j != i]
        nearest = max(others, key=lambda j: anchor @ unit[j])
        found.append(float(labels[nearest] == labels[i]))
    return found


def test_equals_looking_at_each_neighbour():
    for seed in range(5):
        embeddings = np.random.default_rng(seed).normal(size=(6, 3))
        np.testing.assert_array_equal(
            metrics.neighbour_accuracy(LABELS, embeddings),
            by_loops(LABELS, embeddings),
        )


def test_parts_are_the_whole():
    embeddings = np.random.default_rng(0).normal(size=(6, 3))
    parts = [
        metrics.neighbour_accuracy(
            LABELS[part],
            embeddings[part],
            candidate_labels=LABELS,
            candidates=embeddings,
            positions=np.arange(6)[part],
        )
        for part in (slice(0, 4), slice(4, 6))
    ]
    np.testing.assert_array_equal(
        np.concatenate(parts), by_loops(LABELS, embeddings)
    )


def test_who_is_alone_finds_none():
    embeddings = np.ones((3, 2))
    found = metrics.neighbour_accuracy([0, 0, 1], embeddings)
    np.testing.assert_array_equal(found, [1, 1, 0])
