import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive import losses
from tests.losses.checks import check_gradient
from tests.losses.checks import check_serialization
from tests.losses.checks import in_chunks
from tests.losses.checks import random_embeddings
from tests.losses.checks import unit


def numpy_rows(*args, **kwargs):
    return ops.convert_to_numpy(losses.similarity_consistency(*args, **kwargs))


def by_loops(queries, keys, negatives, temperature):
    """Two softmaxes and two sums of p log(p / q) a row."""
    queries, keys = unit(queries), unit(keys)
    rows = []
    for index in range(len(queries)):
        others = (
            np.delete(keys, index, axis=0)
            if negatives is None
            else unit(negatives)
        )
        p, q = (
            np.exp(others @ each[index] / temperature)
            for each in (queries, keys)
        )
        p, q = p / p.sum(), q / q.sum()
        divergences = (p * np.log(p / q)).sum(), (q * np.log(q / p)).sum()
        rows.append(0.5 * sum(divergences))
    return np.array(rows)


@pytest.mark.parametrize("queue", [None, 7])
@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_equals_the_loops(queue, temperature):
    queries, keys = random_embeddings(6, 4), random_embeddings(6, 4, seed=1)
    negatives = None if queue is None else random_embeddings(queue, 4, seed=2)
    np.testing.assert_allclose(
        numpy_rows(queries, keys, negatives, temperature),
        by_loops(queries, keys, negatives, temperature),
        rtol=1e-4,
        atol=1e-6,
    )


def test_it_is_zero_where_views_agree_and_symmetric():
    queries, keys = random_embeddings(6, 4), random_embeddings(6, 4, seed=1)
    queue = random_embeddings(9, 4, seed=2)
    agreed = numpy_rows(queries, 3 * queries, queue)
    np.testing.assert_allclose(agreed, 0.0, atol=1e-9)
    np.testing.assert_allclose(
        numpy_rows(queries, keys, queue),
        numpy_rows(keys, queries, queue),
        rtol=1e-4,
    )


@pytest.mark.parametrize("size", [1, 4])
def test_chunks_of_rows_are_the_whole(size):
    queries, keys = random_embeddings(6, 4), random_embeddings(6, 4, seed=1)
    parts = [
        numpy_rows(
            queries[part],
            keys[part],
            candidates=keys,
            positions=np.arange(6)[part],
        )
        for part in in_chunks(6, size)
    ]
    np.testing.assert_allclose(
        np.concatenate(parts), numpy_rows(queries, keys), rtol=1e-4
    )


@pytest.mark.parametrize("queue", [False, True])
def test_gradient_equals_finite_differences(queue):
    arrays = [random_embeddings(4, 3, seed, "float64") for seed in range(3)]
    check_gradient(
        lambda *each: losses.similarity_consistency(*each, temperature=0.5),
        *arrays[: 3 if queue else 2],
    )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_low_temperature_in_half_precision_is_finite(dtype):
    arrays = [
        ops.cast(random_embeddings(8, 16, seed), dtype) for seed in range(2)
    ]
    rows = losses.similarity_consistency(*arrays, temperature=0.01)
    assert keras.backend.standardize_dtype(rows.dtype) == "float32"
    assert np.isfinite(ops.convert_to_numpy(rows)).all()


def test_the_loss_is_the_mean_of_the_rows():
    queries, keys = random_embeddings(6, 4), random_embeddings(6, 4, seed=1)
    found = losses.SimilarityConsistency(0.5)(keys, queries)
    expected = numpy_rows(queries, keys, temperature=0.5).mean()
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    check_serialization(losses.SimilarityConsistency(0.5, name="mine"))


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="`temperature`"):
        losses.SimilarityConsistency(0)
    with pytest.raises(ValueError, match=r"\(4, 2\) and \(3, 2\)"):
        losses.similarity_consistency(np.ones((4, 2)), np.ones((3, 2)))
    ones = np.ones((4, 2))
    with pytest.raises(ValueError, match="`candidates`.*both"):
        losses.similarity_consistency(ones, ones, ones, candidates=ones)
    with pytest.raises(ValueError, match=r"`negatives`.*\(4, 3\)"):
        losses.similarity_consistency(ones, ones, np.ones((4, 3)))
