import numpy as np
import pytest
from keras import ops

from keras_contrastive.models.queue import Queue


def keys(count, seed):
    return np.random.default_rng(seed).normal(size=(count, 3)) * 5


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def vectors_of(queue):
    return ops.convert_to_numpy(queue.vectors)


def test_it_starts_with_random_vectors_of_length_one():
    first, same, other = Queue(50, 8, 0), Queue(50, 8, 0), Queue(50, 8, 1)
    lengths = np.linalg.norm(vectors_of(first), axis=1)
    np.testing.assert_allclose(lengths, 1, rtol=1e-5)
    np.testing.assert_array_equal(vectors_of(first), vectors_of(same))
    assert np.abs(vectors_of(first) - vectors_of(other)).max() > 0.1
    # All directions alike: the mean of 50 unit vectors is short.
    assert np.linalg.norm(vectors_of(first).mean(axis=0)) < 0.4


@pytest.mark.parametrize("size", [4, 5, 7, 16])
@pytest.mark.parametrize("count", [1, 3, 4, 9])
def test_first_in_first_out_around_the_end(size, count):
    queue = Queue(size, 3)
    expected = list(vectors_of(queue))
    written = [0] * size
    for step in range(1, 9):
        new = keys(count, step)
        queue.enqueue(new, step)
        # A list, in place of the ring: the oldest out, the newest in.
        expected = (expected + list(unit(new)))[-size:]
        written = (written + [step] * count)[-size:]
    position = int(queue.position)
    assert position == 8 * min(count, size) % size
    found = np.roll(vectors_of(queue), -position, axis=0)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    steps = np.roll(ops.convert_to_numpy(queue.written), -position)
    np.testing.assert_array_equal(steps, written)
    np.testing.assert_allclose(queue.age(10), 10 - np.mean(written), rtol=1e-6)


def test_vectors_are_float32_and_of_length_one_whatever_comes():
    queue = Queue(6, 3)
    queue.enqueue(ops.cast(keys(4, 0), "float16"), 1)
    assert queue.vectors.dtype == "float32"
    lengths = np.linalg.norm(vectors_of(queue), axis=1)
    np.testing.assert_allclose(lengths, 1, rtol=1e-3)


@pytest.mark.parametrize("size", [0, 4.5, "big"])
def test_a_queue_without_places_is_refused(size):
    with pytest.raises(ValueError, match=f"`size`.*{size}"):
        Queue(size, 3)


def test_a_queue_is_made_again_of_its_config():
    queue = Queue(5, 3, seed=2)
    again = Queue.from_config(queue.get_config())
    assert again.get_config() == queue.get_config()
    np.testing.assert_array_equal(vectors_of(again), vectors_of(queue))
    assert again.vectors.dtype == "float32"
