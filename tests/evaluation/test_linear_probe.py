import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from keras_contrastive import evaluation
from keras_contrastive.evaluation import linear_probe


def features_and_labels(seed, count=1500, dim=20, classes=4, noise=3.0):
    generator = np.random.default_rng(0)
    means = generator.normal(size=(classes, dim))
    generator = np.random.default_rng(seed)
    labels = generator.integers(classes, size=count)
    features = means[labels] + noise * generator.normal(size=(count, dim))
    # Scales and offsets that only standardized features do not mind.
    features = features * np.logspace(-3, 3, dim) + np.arange(dim)
    return features, labels * 5 + 1


TRAIN = features_and_labels(1)
VALIDATION = features_and_labels(2, 700)
TEST = features_and_labels(3, 2000)


def reference_accuracy(strength):
    scaler = StandardScaler().fit(TRAIN[0])
    model = LogisticRegression(
        C=1 / strength / len(TRAIN[0]), tol=1e-7, max_iter=5000
    )
    with threadpool_limits(1):
        model.fit(scaler.transform(TRAIN[0]), TRAIN[1])
    return {
        name: model.score(scaler.transform(features), labels)
        for name, (features, labels) in
        [("validation", VALIDATION), ("test", TEST)]
    }  # fmt: skip


@pytest.mark.parametrize("strength", [1.0, 1e-2, 1e-5])
def test_accuracy_is_scikit_learns(strength):
    accuracy = evaluation.linear_probe_accuracy(
        *TRAIN, *TEST, *VALIDATION, strengths=[strength]
    )
    expected = reference_accuracy(strength)["test"]
    assert accuracy == pytest.approx(expected, abs=0.005)
    assert 0.4 < accuracy < 0.95


def test_predictions_are_labels_and_make_the_accuracy():
    arguments = {"strengths": [1e-2, 1e-4]}
    predicted = evaluation.linear_probe_predict(
        *TRAIN, TEST[0], *VALIDATION, **arguments
    )
    assert predicted.shape == (2000,)
    assert set(predicted) <= set(TRAIN[1])
    accuracy = evaluation.linear_probe_accuracy(
        *TRAIN, *TEST, *VALIDATION, **arguments
    )
    assert accuracy == np.mean(predicted == TEST[1])


def test_the_strength_is_chosen_on_validation():
    # Few rows and many columns: the right penalty matters.
    train = features_and_labels(4, 90)
    choices = (10.0, 1e-1, 1e-6)
    scores = []
    for strength in choices:
        scores.append(
            [
                evaluation.linear_probe_accuracy(
                    *train, *part, *VALIDATION, strengths=[strength]
                )
                for part in (VALIDATION, TEST)
            ]
        )
    best = int(np.argmax([validation for validation, _ in scores]))
    assert len({test for _, test in scores}) == 3
    chosen = evaluation.linear_probe_accuracy(
        *train, *TEST, *VALIDATION, strengths=choices
    )
    assert chosen == pytest.approx(scores[best][1], abs=0.005)


def test_what_suits_validation_is_taken_even_where_it_fails_the_test():
    # Chosen on the very rows it was fitted to, the weakest penalty wins.
    train = features_and_labels(4, 90)
    weak, strong = [
        evaluation.linear_probe_accuracy(*train, *TEST, strengths=[strength])
        for strength in (1e-6, 1.0)
    ]
    assert strong > weak + 0.02
    found = evaluation.linear_probe_accuracy(
        *train, *TEST, *train, strengths=[1e-6, 1.0]
    )
    assert found == pytest.approx(weak, abs=0.01)


def test_test_features_have_no_say():
    accuracies = [
        evaluation.linear_probe_accuracy(
            *TRAIN, TEST[0][:count], TEST[1][:count], *VALIDATION
        )
        for count in (1000, 2000)
    ]
    wrong = evaluation.linear_probe_accuracy(
        *TRAIN, TEST[0][:1000], TEST[1][:1000] + 1, *VALIDATION
    )
    assert wrong == 0
    assert accuracies[0] == pytest.approx(accuracies[1], abs=0.03)


def test_a_tenth_of_each_class_is_held_out():
    labels = np.repeat([3, 5, 9, 11], [100, 50, 4, 1])
    labels = np.random.default_rng(0).permutation(labels)
    fitted, held_out = linear_probe._hold_out(labels, seed=0)
    assert sorted([*fitted, *held_out]) == list(range(155))
    counts = [np.sum(labels[held_out] == label) for label in (3, 5, 9, 11)]
    assert counts == [10, 5, 1, 0]
    again = linear_probe._hold_out(labels, seed=0)[1]
    np.testing.assert_array_equal(held_out, again)
    assert set(held_out) != set(linear_probe._hold_out(labels, seed=1)[1])


def test_without_validation_all_rows_are_fitted():
    accuracy = evaluation.linear_probe_accuracy(*TRAIN, *TEST, strengths=[1e-2])
    expected = reference_accuracy(1e-2)["test"]
    assert accuracy == pytest.approx(expected, abs=0.005)


def test_constant_columns_and_constant_features():
    features = TRAIN[0].copy()
    features[:, 3] = 7
    test = TEST[0].copy()
    test[:, 3] = 8
    accuracy = evaluation.linear_probe_accuracy(
        features, TRAIN[1], test, TEST[1], strengths=[1e-2]
    )
    assert accuracy > 0.4
    constant = evaluation.linear_probe_accuracy(
        np.ones((30, 2)), [4] * 20 + [1] * 10, np.ones((4, 2)), [4, 4, 4, 1]
    )
    assert constant == 0.75


def test_one_class():
    ones = np.random.default_rng(0).normal(size=(6, 2))
    accuracy = evaluation.linear_probe_accuracy(
        ones, [3] * 6, ones[:4], [3, 3, 3, 2]
    )
    assert accuracy == 0.75


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="`strengths` .* 0"):
        evaluation.linear_probe_accuracy(*TRAIN, *TEST, strengths=[1, 0])
    with pytest.raises(ValueError, match="`strengths` .*\\[\\]"):
        evaluation.linear_probe_accuracy(*TRAIN, *TEST, strengths=[])
    with pytest.raises(ValueError, match="go together"):
        evaluation.linear_probe_accuracy(*TRAIN, *TEST, VALIDATION[0])
    with pytest.raises(ValueError, match="`validation_features` .* 19 and 20"):
        evaluation.linear_probe_accuracy(
            *TRAIN, *TEST, VALIDATION[0][:, :19], VALIDATION[1]
        )
    with pytest.raises(ValueError, match="no label twice among 3"):
        evaluation.linear_probe_accuracy(
            np.eye(3), [0, 1, 2], np.eye(3), [0, 1, 2]
        )
    features = TEST[0].copy()
    features[5] = np.inf
    with pytest.raises(ValueError, match="`test_features` .* 1 of 2000"):
        evaluation.linear_probe_accuracy(*TRAIN, features, TEST[1])
