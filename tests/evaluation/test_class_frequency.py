import numpy as np
import pytest

from keras_contrastive import evaluation


def test_groups_of_ten_classes():
    """Three of many, four of medium, three of few images."""
    counts = [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]
    labels = np.repeat(np.arange(10), 10)
    shares = np.array([1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
    predictions = np.array(
        [
            label if place < 10 * shares[label] else (label + 1) % 10
            for label in range(10)
            for place in range(10)
        ]
    )
    shuffled = np.random.default_rng(0).permutation(100)
    figures = evaluation.accuracy_by_frequency(
        labels[shuffled], predictions[shuffled], counts
    )
    expected = {"all": 0.55, "many": 0.9, "medium": 0.55, "few": 0.2}
    for name, value in expected.items():
        np.testing.assert_allclose(figures[name], value)
    np.testing.assert_allclose(figures["deviation"], np.std([0.9, 0.55, 0.2]))
    # Which class is rare is said by the counts, not by the label.
    turned = evaluation.accuracy_by_frequency(labels, predictions, counts[::-1])
    np.testing.assert_allclose(turned["few"], 0.9)


def test_classes_weigh_alike_whatever_their_test_images():
    labels = np.array([0] * 8 + [1] * 2 + [2])
    predictions = np.array([0] * 8 + [0] * 2 + [2])
    figures = evaluation.accuracy_by_frequency(labels, predictions, [3, 2, 1])
    np.testing.assert_allclose(figures["all"], 2 / 3)


def test_a_class_without_test_images_does_not_count():
    figures = evaluation.accuracy_by_frequency([0, 1], [0, 0], [3, 2, 1])
    assert figures["all"] == 0.5
    assert np.isnan(figures["few"])


@pytest.mark.parametrize("counts", [[3, 2], [3, 2, 1]])
def test_labels_beyond_the_counts_are_refused(counts):
    with pytest.raises(ValueError, match="`train_counts`"):
        evaluation.accuracy_by_frequency([0, 3], [0, 1], counts)
