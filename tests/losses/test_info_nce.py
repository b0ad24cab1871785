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
    return ops.convert_to_numpy(losses.info_nce(*args, **kwargs))


def info_nce_by_loops(queries, keys, negatives, temperature):
    """One query and one negative at a time, from the definition."""
    queries, keys = unit(queries), unit(keys)
    rows = []
    for index, query in enumerate(queries):
        positive = np.exp(query @ keys[index] / temperature)
        if negatives is None:
            others = np.delete(keys, index, axis=0)
        else:
            others = unit(negatives)
        total = positive
        for other in others:
            total += np.exp(query @ other / temperature)
        rows.append(-np.log(positive / total))
    return np.array(rows)


@pytest.mark.parametrize("queue", [None, 1, 7, 40])
@pytest.mark.parametrize("temperature", [0.07, 0.5, 2.0])
def test_equals_the_loops(queue, temperature):
    queries, keys = random_embeddings(9, 5), random_embeddings(9, 5, seed=1)
    negatives = None if queue is None else random_embeddings(queue, 5, seed=2)
    np.testing.assert_allclose(
        numpy_rows(queries, keys, negatives, temperature),
        info_nce_by_loops(queries, keys, negatives, temperature),
        rtol=2e-5,
        atol=2e-5,
    )


@pytest.mark.parametrize("size", [1, 5, 64])
def test_all_equal_gives_the_log_of_all(size):
    ones = np.ones((3, 4), "float32")
    rows = numpy_rows(ones, ones, np.ones((size, 4), "float32"))
    np.testing.assert_allclose(rows, np.log(1 + size), rtol=1e-5)
    # In the batch, there are as many keys as queries.
    np.testing.assert_allclose(numpy_rows(ones, ones), np.log(3), rtol=1e-5)


@pytest.mark.parametrize("temperature", [0.1, 0.5])
def test_a_queue_at_right_angles(temperature):
    vectors = np.eye(4, 12, dtype="float32")
    queue = np.eye(12, dtype="float32")[4:]
    rows = numpy_rows(vectors, vectors, queue, temperature)
    expected = np.log1p(8 * np.exp(-1 / temperature))
    np.testing.assert_allclose(rows, expected, rtol=1e-4, atol=1e-6)


def test_both_directions_of_two_views_are_half_of_nt_xent_without_own_view():
    # The cross-view part: a row of logits against the other view only.
    queries, keys = random_embeddings(6, 4), random_embeddings(6, 4, seed=1)
    logits = unit(queries) @ unit(keys).T / 0.3
    expected = np.log(np.exp(logits).sum(axis=1)) - np.diag(logits)
    rows = numpy_rows(queries, keys, temperature=0.3)
    np.testing.assert_allclose(rows, expected, rtol=1e-5)


@pytest.mark.parametrize("size", [1, 4, 10])
def test_chunks_of_queries_are_the_whole(size):
    queries, keys = random_embeddings(10, 5), random_embeddings(10, 5, seed=1)
    whole = numpy_rows(queries, keys)
    parts = [
        numpy_rows(
            queries[part],
            keys[part],
            candidates=keys,
            positions=np.arange(10)[part],
        )
        for part in in_chunks(10, size)
    ]
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-5)


def test_norms_and_the_order_of_negatives_do_not_matter():
    queries, keys = random_embeddings(6, 4), random_embeddings(6, 4, seed=1)
    queue = random_embeddings(8, 4, seed=2)
    np.testing.assert_allclose(
        numpy_rows(queries * 7, keys * 0.01, queue[::-1] * 50),
        numpy_rows(queries, keys, queue),
        rtol=1e-4,
    )


@pytest.mark.parametrize("queue", [False, True])
def test_gradient_equals_finite_differences(queue):
    arrays = [
        random_embeddings(count, 3, seed, "float64")
        for seed, count in enumerate([4, 4, 5][: 3 if queue else 2])
    ]
    check_gradient(
        lambda *each: losses.info_nce(*each, temperature=0.3), *arrays
    )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_low_temperature_in_half_precision_is_finite(dtype):
    arrays = [
        ops.cast(random_embeddings(8, 16, seed), dtype) for seed in range(3)
    ]
    rows = losses.info_nce(*arrays, temperature=0.01)
    assert keras.backend.standardize_dtype(rows.dtype) == "float32"
    assert np.isfinite(ops.convert_to_numpy(rows)).all()


def test_the_loss_is_the_mean_of_the_rows():
    queries, keys = random_embeddings(6, 4), random_embeddings(6, 4, seed=1)
    found = float(losses.InfoNCE(0.3)(keys, queries))
    expected = numpy_rows(queries, keys, temperature=0.3).mean()
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    check_serialization(losses.InfoNCE(0.3, name="mine"))


def test_the_loss_takes_a_queue_beside_the_keys():
    queries, keys = random_embeddings(6, 4), random_embeddings(6, 4, seed=1)
    queue = random_embeddings(9, 4, seed=2)
    found = float(losses.InfoNCE(0.3)((keys, queue), queries))
    expected = numpy_rows(queries, keys, queue, temperature=0.3).mean()
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    with pytest.raises(ValueError, match=r"`negatives`.*\(count, 4\)"):
        losses.InfoNCE()((keys, queue[:, :3]), queries)


def test_bad_input_is_refused():
    four, five = np.ones((4, 3)), np.ones((5, 3))
    with pytest.raises(ValueError, match=r"`queries`.*\(4, 3\) and \(5, 3\)"):
        losses.info_nce(four, five)
    with pytest.raises(ValueError, match=r"`negatives`.*\(count, 3\)"):
        losses.info_nce(four, four, np.ones((5, 2)))
    with pytest.raises(ValueError, match="received both"):
        losses.info_nce(four, four, five, candidates=five)
    with pytest.raises(ValueError, match="`temperature`.*0"):
        losses.info_nce(four, four, temperature=0)
    with pytest.raises(ValueError, match="`temperature`.*-1"):
        losses.InfoNCE(-1)
