import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive import losses
from tests.gradients import gradients
from tests.losses.checks import check_gradient
from tests.losses.checks import check_serialization
from tests.losses.checks import in_chunks
from tests.losses.checks import random_embeddings
from tests.losses.checks import unit

LABELS = np.array([0, 1, 0, 2, 1, 0, 3, 1, 2], "int32")
DISTANCES = ["euclidean", "squared", "cosine"]
MINING = ["all", "nonzero", "semi_hard", "hard", "easy_positive"]
MARGINS = [0.0, 0.7, None]


def distance_matrix(embeddings, distance):
    embeddings = np.asarray(embeddings, "float64")
    if distance == "cosine":
        return 1 - unit(embeddings) @ unit(embeddings).T
    differences = embeddings[:, None] - embeddings[None]
    squared = (differences**2).sum(axis=2)
    return squared if distance == "squared" else np.sqrt(squared)


def excess(positive, negative, margin):
    if margin is None:
        return np.log1p(np.exp(positive - negative))
    return max(positive - negative + margin, 0.0)


def mined(anchor, labels, table, mining, margin):
    """The losses of an anchor's triplets, by looking at each of them."""
    everybody = range(len(labels))
    positives = [
        table[anchor, j]
        for j in everybody
        if j != anchor and labels[j] == labels[anchor]
    ]
    negatives = [
        table[anchor, j] for j in everybody if labels[j] != labels[anchor]
    ]
    if not positives or not negatives:
        return []
    if mining in ("hard", "easy_positive"):
        choose = max if mining == "hard" else min
        return [excess(choose(positives), min(negatives), margin)]
    if mining == "semi_hard":
        return [
            excess(
                positive,
                min(
                    (each for each in negatives if each > positive),
                    default=max(negatives),
                ),
                margin,
            )
            for positive in positives
        ]
    found = [
        excess(positive, negative, margin)
        for positive in positives
        for negative in negatives
    ]
    return [each for each in found if each > 0 or mining == "all"]


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("mining", MINING)
@pytest.mark.parametrize("margin", MARGINS)
def test_equals_looking_at_every_triplet(distance, mining, margin):
    embeddings = random_embeddings(9, 4)
    rows, weights = losses.triplet(
        LABELS, embeddings, margin, distance, mining, with_weights=True
    )
    table = distance_matrix(embeddings, distance)
    found = [
        mined(anchor, LABELS, table, mining, margin) for anchor in range(9)
    ]
    np.testing.assert_array_equal(weights, [len(each) for each in found])
    expected = [np.mean(each) if each else 0.0 for each in found]
    np.testing.assert_allclose(
        ops.convert_to_numpy(rows), expected, rtol=1e-4, atol=1e-5
    )
    loss = losses.Triplet(margin, distance, mining)
    triplets = [value for each in found for value in each]
    np.testing.assert_allclose(
        float(loss(LABELS, embeddings)), np.mean(triplets), rtol=1e-4
    )


@pytest.mark.parametrize("mining", MINING)
@pytest.mark.parametrize(("margin", "expected"), [(0.7, 0.7), (None, 0.693147)])
def test_all_equal_gives_the_margin(mining, margin, expected):
    embeddings = np.ones((9, 4), "float32")
    loss = losses.Triplet(margin, mining=mining)
    np.testing.assert_allclose(
        float(loss(LABELS, embeddings)), expected, rtol=1e-5
    )


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("mining", MINING)
def test_the_gradient_is_finite_where_all_distances_are_zero(mining, distance):
    embeddings = np.ones((9, 4), "float32")

    def value(tensor):
        return losses.Triplet(0.7, distance, mining)(LABELS, tensor)

    assert np.isfinite(gradients(value, embeddings)[0]).all()


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("mining", MINING)
@pytest.mark.parametrize("margin", [0.7, None])
def test_gradient_equals_finite_differences(mining, distance, margin):
    check_gradient(
        lambda each: losses.triplet(LABELS, each, margin, distance, mining),
        random_embeddings(9, 2, dtype="float64"),
    )


@pytest.mark.parametrize("mining", MINING)
@pytest.mark.parametrize("labels", [[0, 1, 2, 3], [5, 5, 5, 5]])
def test_without_triplets_it_is_zero_with_a_gradient(mining, labels):
    embeddings = random_embeddings(4, 3)

    def value(tensor):
        return losses.Triplet(0.7, mining=mining)(np.array(labels), tensor)

    assert float(value(embeddings)) == 0.0
    np.testing.assert_array_equal(gradients(value, embeddings)[0], 0.0)


@pytest.mark.parametrize("mining", MINING)
@pytest.mark.parametrize("size", [1, 4])
def test_chunks_of_anchors_are_the_whole(mining, size):
    embeddings = random_embeddings(9, 5)
    whole = losses.triplet(
        LABELS, embeddings, 0.7, mining=mining, with_weights=True
    )
    parts = [
        losses.triplet(
            LABELS[part],
            embeddings[part],
            0.7,
            mining=mining,
            candidate_labels=LABELS,
            candidates=embeddings,
            positions=np.arange(9)[part],
            with_weights=True,
        )
        for part in in_chunks(9, size)
    ]
    for found, expected in zip(zip(*parts), whole, strict=True):
        np.testing.assert_allclose(
            np.concatenate(found), expected, rtol=1e-4, atol=1e-5
        )


def test_it_is_the_same_where_the_batch_is_not_known_beforehand(tf):
    embeddings = random_embeddings(9, 4)

    @tf.function(
        input_signature=[
            tf.TensorSpec((None,), "int32"),
            tf.TensorSpec((None, 4), "float32"),
        ]
    )
    def rows(labels, tensor):
        return losses.triplet(labels, tensor, 0.7, mining="nonzero")

    np.testing.assert_allclose(
        rows(LABELS, embeddings),
        losses.triplet(LABELS, embeddings, 0.7, mining="nonzero"),
        rtol=1e-5,
    )


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("margin", MARGINS)
def test_given_triplets(distance, margin):
    arrays = [random_embeddings(6, 4, seed) for seed in range(3)]
    rows = losses.given_triplet(*arrays, margin, distance)
    expected = []
    for anchor, positive, negative in zip(*arrays):
        table = distance_matrix([anchor, positive, negative], distance)
        expected.append(excess(table[0, 1], table[0, 2], margin))
    np.testing.assert_allclose(
        ops.convert_to_numpy(rows), expected, rtol=1e-4, atol=1e-6
    )


def test_given_triplets_for_keras():
    arrays = [random_embeddings(6, 4, seed) for seed in range(3)]
    loss = losses.GivenTriplet(0.7, "squared", name="mine")
    value = loss(np.zeros(6), np.stack(arrays, axis=1))
    rows = losses.given_triplet(*arrays, 0.7, "squared")
    np.testing.assert_allclose(float(value), np.mean(rows), rtol=1e-6)
    check_serialization(loss)
    with pytest.raises(ValueError, match="`distance`.*'manhattan'"):
        losses.GivenTriplet(distance="manhattan")


def test_gradient_of_given_triplets():
    arrays = [random_embeddings(4, 3, seed, "float64") for seed in range(3)]
    check_gradient(lambda *each: losses.given_triplet(*each, None), *arrays)
    same = np.ones((2, 3), "float32")
    for gradient in gradients(
        lambda *each: ops.sum(losses.given_triplet(*each, 0.2)),
        *[same] * 3,
    ):
        np.testing.assert_array_equal(gradient, 0.0)


@pytest.mark.parametrize("mining", MINING)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_raised(mining, dtype):
    embeddings = random_embeddings(9, 16)
    rows = losses.triplet(
        LABELS, ops.cast(embeddings, dtype), 0.7, mining=mining
    )
    assert keras.backend.standardize_dtype(rows.dtype) == "float32"
    np.testing.assert_allclose(
        ops.convert_to_numpy(rows),
        losses.triplet(
            LABELS,
            ops.cast(ops.cast(embeddings, dtype), "float32"),
            0.7,
            mining=mining,
        ),
        rtol=1e-4,
        atol=1e-5,
    )


def test_it_survives_serialization():
    check_serialization(losses.Triplet(None, "cosine", "hard", name="mine"))


def test_bad_input_is_refused():
    two = np.ones((2, 2), "float32")
    with pytest.raises(ValueError, match="`margin`.*-0.1"):
        losses.triplet([0, 0], two, margin=-0.1)
    with pytest.raises(ValueError, match="`margin`.*'wide'"):
        losses.Triplet(margin="wide")
    with pytest.raises(ValueError, match="`distance`.*'manhattan'"):
        losses.triplet([0, 0], two, distance="manhattan")
    with pytest.raises(ValueError, match="`mining`.*'soft'"):
        losses.Triplet(mining="soft")
    with pytest.raises(ValueError, match=r"`labels`.*\(3,\)"):
        losses.triplet([0, 0, 1], two)
    with pytest.raises(ValueError, match=r"\(2, 2\), \(2, 2\) and \(3, 2\)"):
        losses.given_triplet(two, two, np.ones((3, 2)))
