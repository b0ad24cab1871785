import numpy as np
import pytest

from keras_contrastive import evaluation
from keras_contrastive import losses
from tests.gradients import gradients
from tests.losses.checks import check_gradient
from tests.losses.checks import check_serialization
from tests.losses.checks import random_embeddings
from tests.losses.checks import unit


@pytest.mark.parametrize("chunk_size", [None, 1, 3, 10])
@pytest.mark.parametrize("t", [0.5, 2.0])
def test_equals_the_loops(t, chunk_size):
    embeddings = random_embeddings(7, 4)
    vectors = unit(embeddings)
    terms = [
        np.exp(-t * ((vectors[i] - vectors[j]) ** 2).sum())
        for i in range(7)
        for j in range(7)
        if i != j
    ]
    expected = np.log(np.mean(terms))
    rows = losses.uniformity(embeddings, t, chunk_size=chunk_size)
    np.testing.assert_allclose(rows, [expected] * 7, rtol=1e-5)
    loss = losses.Uniformity(t)
    np.testing.assert_allclose(
        loss(np.zeros(7), embeddings), expected, rtol=1e-5
    )


def test_it_is_what_the_evaluation_measures():
    embeddings = random_embeddings(7, 4)
    np.testing.assert_allclose(
        float(losses.uniformity(embeddings)[0]),
        evaluation.uniformity(embeddings),
        rtol=1e-5,
    )


def test_rows_of_a_part_have_the_value_of_the_whole():
    embeddings = random_embeddings(7, 4)
    whole = losses.uniformity(embeddings)
    part = losses.uniformity(embeddings[:3], candidates=embeddings)
    np.testing.assert_allclose(part, whole[:3], rtol=1e-6)


def test_gradient_equals_finite_differences():
    check_gradient(losses.uniformity, random_embeddings(5, 3, dtype="float64"))


def test_gradient_in_chunks():
    embeddings = random_embeddings(7, 3)
    expected, found = (
        gradients(
            lambda each, size=size: losses.uniformity(each, chunk_size=size)[0],
            embeddings,
        )[0]
        for size in (None, 3)
    )
    assert np.abs(expected).max() > 1e-2
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("chunk_size", [None, 3])
def test_one_embedding_has_no_pairs(chunk_size):
    def value(embeddings):
        return losses.uniformity(embeddings, chunk_size=chunk_size)[0]

    one = random_embeddings(1, 3)
    assert float(value(one)) == 0.0
    gradient = gradients(value, one)[0]
    np.testing.assert_array_equal(gradient, 0.0)


def test_it_survives_serialization():
    check_serialization(losses.Uniformity(3.0, name="mine"))


def test_a_t_that_is_not_positive_is_refused():
    with pytest.raises(ValueError, match="`t`.*0"):
        losses.uniformity(np.ones((4, 2)), 0)
    with pytest.raises(ValueError, match="`t`.*-2"):
        losses.Uniformity(-2)
    with pytest.raises(ValueError, match="`chunk_size`.*0"):
        losses.uniformity(np.ones((4, 2)), chunk_size=0)
