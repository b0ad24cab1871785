import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive.losses import row_chunks


@pytest.mark.parametrize("count", [1, 2, 7, 12])
@pytest.mark.parametrize("chunk_size", [1, 2, 3, 5, 7, 100])
def test_every_row_has_its_turn_once(count, chunk_size):
    """What is put is put, and what is added is added once."""
    values = np.random.default_rng(0).normal(size=(count, 3)).astype("float32")
    sizes = []

    def step(chunk, doubled, total):
        rows = chunk.of(values)
        sizes.append(rows.shape[0])
        added = ops.sum(chunk.once(rows), axis=0, keepdims=True)
        return chunk.put(doubled, 2 * rows), total + added

    results = ops.zeros((count, 3)), ops.zeros((1, 3))
    doubled, total = row_chunks.fold_chunks(step, results, count, chunk_size)
    np.testing.assert_allclose(doubled, 2 * values, rtol=1e-6)
    np.testing.assert_allclose(total[0], values.sum(axis=0), rtol=1e-5)
    assert len(set(sizes)) == 1 and sizes[0] <= chunk_size
    if keras.backend.backend() == "tensorflow":
        assert len(sizes) == -(-count // chunk_size)


@pytest.mark.parametrize("shape", [(5,), (5, 2), (5, 2, 3)])
def test_chunks_are_of_any_rank(shape):
    values = np.arange(np.prod(shape), dtype="float32").reshape(shape)
    chunk = row_chunks.Chunk(ops.cast(4, "int32"), 2, 5)
    np.testing.assert_array_equal(chunk.of(values), values[3:])


def test_a_loop_that_is_lost_ends():
    def step(chunk, results):
        return (chunk.put(results, np.nan * chunk.of(results)),)

    (found,) = row_chunks.fold_chunks(step, (ops.zeros((6, 1)),), 6, 2)
    np.testing.assert_array_equal(np.isnan(found)[:, 0], [1, 1, 0, 0, 0, 0])


@pytest.mark.parametrize("chunk_size", [0, -1, 2.0, "8", float("nan")])
def test_chunk_sizes_that_are_none_are_refused(chunk_size):
    with pytest.raises(ValueError, match=f"`chunk_size`.*{chunk_size}"):
        row_chunks.check_chunk_size(chunk_size)


@pytest.mark.parametrize("chunk_size", [None, 1, np.int64(8)])
def test_chunk_sizes_pass(chunk_size):
    row_chunks.check_chunk_size(chunk_size)
