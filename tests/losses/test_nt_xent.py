import functools

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive import losses
from tests.gradients import gradients
from tests.losses.checks import check_gradient


def random_views(count, dim, seed=0, dtype="float32"):
    generator = np.random.default_rng(seed)
    view_1 = generator.normal(size=(count, dim))
    view_2 = 0.5 * view_1 + generator.normal(size=(count, dim)) + 0.3
    return view_1.astype(dtype), view_2.astype(dtype)


def nt_xent_by_loops(view_1, view_2, temperature):
    """Algorithm 1 of the paper, one pair at a time."""
    views = np.concatenate([view_1, view_2]).astype("float64")
    count = len(view_1)
    rows = []
    for i in range(2 * count):
        partner = i + count if i < count else i - count
        terms = {}
        for j in range(2 * count):
            norms = np.linalg.norm(views[i]) * np.linalg.norm(views[j])
            cosine = views[i] @ views[j] / norms
            terms[j] = np.exp(cosine / temperature)
        others = sum(term for j, term in terms.items() if j != i)
        rows.append(-np.log(terms[partner] / others))
    return np.array(rows)


def numpy_rows(*args, **kwargs):
    return ops.convert_to_numpy(losses.nt_xent(*args, **kwargs))


@pytest.mark.parametrize("count", [2, 4, 33])
@pytest.mark.parametrize("temperature", [0.1, 0.5, 2.0])
def test_equal_embeddings_give_the_log_of_the_others(count, temperature):
    ones = np.ones((count, 8), "float32")
    rows = numpy_rows(ones, ones, temperature)
    np.testing.assert_allclose(rows, np.log(2 * count - 1), rtol=1e-5)


@pytest.mark.parametrize("count", [2, 4, 16])
@pytest.mark.parametrize("temperature", [0.1, 0.5, 2.0])
def test_identical_views_of_orthonormal_images(count, temperature):
    eye = np.eye(count, 20, dtype="float32")
    rows = numpy_rows(eye, eye, temperature)
    expected = np.log1p((2 * count - 2) * np.exp(-1 / temperature))
    np.testing.assert_allclose(rows, expected, rtol=1e-4, atol=1e-6)


def test_published_value():
    eye = np.eye(4, dtype="float32")
    rows = numpy_rows(eye, eye, 0.5)
    np.testing.assert_allclose(rows, 0.594438, rtol=1e-5)


@pytest.mark.parametrize("count", [1, 2, 7, 16])
@pytest.mark.parametrize("dim", [2, 5, 32])
@pytest.mark.parametrize("temperature", [0.07, 0.5, 1.0])
def test_equals_the_double_loop(count, dim, temperature):
    views = random_views(count, dim)
    np.testing.assert_allclose(
        numpy_rows(*views, temperature),
        nt_xent_by_loops(*views, temperature),
        rtol=2e-5,
        atol=2e-5,
    )


def test_swapping_the_views_swaps_the_rows():
    view_1, view_2 = random_views(9, 6)
    rows = numpy_rows(view_1, view_2)
    swapped = numpy_rows(view_2, view_1)
    np.testing.assert_allclose(swapped, np.roll(rows, 9), rtol=1e-5)


def test_permuting_images_permutes_the_rows():
    view_1, view_2 = random_views(9, 6)
    order = np.random.default_rng(1).permutation(9)
    rows = numpy_rows(view_1, view_2).reshape(2, 9)
    permuted = numpy_rows(view_1[order], view_2[order]).reshape(2, 9)
    np.testing.assert_allclose(permuted, rows[:, order], rtol=1e-5)


def test_norms_do_not_matter():
    view_1, view_2 = random_views(9, 6)
    scales = np.random.default_rng(2).uniform(0.01, 100, (9, 1))
    np.testing.assert_allclose(
        numpy_rows(view_1 * scales.astype("float32"), view_2 * 7),
        numpy_rows(view_1, view_2),
        rtol=1e-4,
    )


@pytest.mark.parametrize("chunk", [1, 3, 5])
def test_chunks_of_rows_are_the_whole(chunk):
    view_1, view_2 = random_views(15, 6)
    whole = numpy_rows(view_1, view_2).reshape(2, 15)
    parts = [
        numpy_rows(
            view_1[start : start + chunk],
            view_2[start : start + chunk],
            candidates_1=view_1,
            candidates_2=view_2,
            positions=np.arange(start, start + chunk),
        ).reshape(2, chunk)
        for start in range(0, 15, chunk)
    ]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, rtol=1e-5)


@pytest.mark.parametrize("chunk_size", [1, 3, 8, 30, 100])
@pytest.mark.parametrize(("count", "dim"), [(15, 6), (4, 1), (1, 3)])
def test_chunks_change_neither_rows_nor_ranks(chunk_size, count, dim):
    views = random_views(count, dim)
    expected, expected_ranks = losses.nt_xent(*views, 0.2, with_ranks=True)
    rows, ranks = losses.nt_xent(
        *views, 0.2, chunk_size=chunk_size, with_ranks=True
    )
    np.testing.assert_allclose(rows, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(ranks, expected_ranks)
    np.testing.assert_allclose(
        numpy_rows(*views, 0.2, chunk_size=chunk_size),
        nt_xent_by_loops(*views, 0.2),
        rtol=2e-5,
        atol=2e-5,
    )


def test_ranks_count_who_is_nearer_than_the_partner():
    view_1, view_2 = random_views(8, 3)
    _, ranks = losses.nt_xent(view_1, view_2, with_ranks=True)
    both = np.concatenate([view_1, view_2]).astype("float64")
    both /= np.linalg.norm(both, axis=1, keepdims=True)
    cosines = both @ both.T
    expected = [
        sum(
            cosines[i, j] > cosines[i, (i + 8) % 16]
            for j in range(16)
            if j != i
        )
        for i in range(16)
    ]
    assert len(set(expected)) > 3
    np.testing.assert_array_equal(ranks, expected)


def check_gradients_in_chunks(value, arrays, rtol):
    """Compares the gradient in chunks with that of the whole matrix.

    Args:
        value: function of tensors and of `chunk_size` to a scalar.
        arrays: list of arrays.
        rtol: float, relative to the largest entry of a gradient.
    """
    expected = gradients(functools.partial(value, chunk_size=None), *arrays)
    for chunk_size in (4, 50):
        in_chunks = functools.partial(value, chunk_size=chunk_size)
        found = gradients(in_chunks, *arrays)
        for mine, theirs in zip(found, expected, strict=True):
            scale = np.abs(theirs).max()
            np.testing.assert_allclose(
                mine / scale, theirs / scale, rtol=0, atol=rtol
            )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradient_in_chunks(dtype):
    if dtype == "float64" and keras.backend.backend() == "jax":
        pytest.skip("JAX has float64 only where it is switched on.")
    weights = np.random.default_rng(3).normal(size=22).astype(dtype)

    def value(first, second, temperature, chunk_size):
        rows = losses.nt_xent(first, second, temperature, chunk_size=chunk_size)
        return ops.sum(rows * weights)

    # A temperature that is learned has its gradient, too.
    arrays = [*random_views(11, 4, dtype=dtype), np.array(0.2, dtype)]
    check_gradients_in_chunks(
        value, arrays, 1e-10 if dtype[5:] == "64" else 5e-6
    )


def test_gradient_in_chunks_of_a_replica():
    """Some rows of a batch, not in order, against all of it."""
    view_1, view_2 = random_views(9, 4)
    positions = np.array([7, 2, 5, 0], "int32")
    weights = np.random.default_rng(3).normal(size=8).astype("float32")

    def value(first, second, candidates_1, candidates_2, chunk_size):
        rows = losses.nt_xent(
            first,
            second,
            0.2,
            candidates_1=candidates_1,
            candidates_2=candidates_2,
            positions=positions,
            chunk_size=chunk_size,
        )
        return ops.sum(rows * weights)

    arrays = [view_1[positions], view_2[positions], view_1, view_2]
    check_gradients_in_chunks(value, arrays, 5e-6)
    expected = nt_xent_by_loops(view_1, view_2, 0.2).reshape(2, 9)
    expected = np.sum(expected[:, positions].ravel() * weights)
    np.testing.assert_allclose(value(*arrays, 3), expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("count", "jit_compile"), [(11, False), (None, False), (11, True)]
)
def test_chunks_in_a_graph(count, jit_compile):
    """Of a batch whose size is known, or is not."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("Graphs are TensorFlow's.")
    import tensorflow as tf

    view_1, view_2 = random_views(11, 4)
    weights = np.random.default_rng(3).normal(size=22).astype("float32")

    def value(first, second):
        rows = losses.nt_xent(first, second, 0.2, chunk_size=5)
        return ops.sum(rows * weights)

    @tf.function(
        input_signature=[tf.TensorSpec((count, 4))] * 2,
        jit_compile=jit_compile,
    )
    def compiled(first, second):
        found = value(first, second)
        return tf.gradients(found, [first, second])

    found = compiled(view_1, view_2)
    expected = gradients(value, view_1, view_2)
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)


def test_chunks_compile_on_jax():
    jax = pytest.importorskip("jax")
    if keras.backend.backend() != "jax":
        pytest.skip("Needs the backend JAX.")
    views = random_views(11, 4)

    def value(first, second):
        return ops.mean(losses.nt_xent(first, second, 0.2, chunk_size=5))

    gradient = jax.grad(value, argnums=(0, 1))
    for mine, theirs in zip(jax.jit(gradient)(*views), gradient(*views)):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("chunk_size", [None, 3])
def test_low_temperature_in_half_precision_is_finite(dtype, chunk_size):
    views = [ops.cast(view, dtype) for view in random_views(8, 16)]
    rows = losses.nt_xent(*views, 0.01, chunk_size=chunk_size)
    assert keras.backend.standardize_dtype(rows.dtype) == "float32"
    assert np.isfinite(ops.convert_to_numpy(rows)).all()


def _hardest_views():
    """Views that are the same, opposite, and nothing at all."""
    one = np.eye(8, 16, dtype="float32")
    one[6:] = 0.0
    other = one * np.array([1, 1, 1, -1, -1, -1, 1, 1], "float32")[:, None]
    return one, other


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("chunk_size", [None, 3])
def test_gradients_in_half_precision_are_finite(dtype, chunk_size):
    def value(*views):
        halves = [ops.cast(view, dtype) for view in views]
        return ops.mean(losses.nt_xent(*halves, 0.01, chunk_size=chunk_size))

    for views in (_hardest_views(), random_views(8, 16)):
        assert np.isfinite(float(value(*views)))
        for each in gradients(value, *views):
            assert np.isfinite(ops.convert_to_numpy(each)).all()


def test_zero_vectors_are_finite():
    zeros = np.zeros((4, 8), "float32")
    np.testing.assert_allclose(numpy_rows(zeros, zeros), np.log(7), rtol=1e-5)


@pytest.mark.parametrize("chunk_size", [None, 3])
def test_gradient_equals_finite_differences_in_float64(chunk_size):
    def rows(first, second):
        return losses.nt_xent(first, second, 0.3, chunk_size=chunk_size)

    check_gradient(rows, *random_views(5, 4, dtype="float64"))


@pytest.mark.parametrize("temperature", [0, 0.0, -1, float("nan")])
def test_a_temperature_that_is_not_positive_is_refused(temperature):
    views = random_views(4, 3)
    with pytest.raises(ValueError, match=f"`temperature`.*{temperature}"):
        losses.nt_xent(*views, temperature)
    with pytest.raises(ValueError, match="`temperature`"):
        losses.NTXent(temperature)


@pytest.mark.parametrize("chunk_size", [0, 2.5])
def test_a_chunk_size_that_is_none_is_refused(chunk_size):
    views = random_views(4, 3)
    with pytest.raises(ValueError, match=f"`chunk_size`.*{chunk_size}"):
        losses.nt_xent(*views, chunk_size=chunk_size)
    with pytest.raises(ValueError, match="`chunk_size`"):
        losses.NTXent(chunk_size=chunk_size)


def test_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match=r"\(4, 3\) and \(5, 3\)"):
        losses.nt_xent(np.ones((4, 3)), np.ones((5, 3)))


@pytest.mark.parametrize("chunk_size", [None, 4])
def test_loss_is_the_mean_of_the_rows(chunk_size):
    views = random_views(9, 6)
    loss = losses.NTXent(temperature=0.2, chunk_size=chunk_size)
    expected = numpy_rows(*views, 0.2).mean()
    np.testing.assert_allclose(float(loss(*views)), expected, rtol=1e-6)


def test_loss_survives_serialization():
    loss = losses.NTXent(temperature=0.2, chunk_size=4, name="mine")
    config = keras.saving.serialize_keras_object(loss)
    copy = keras.saving.deserialize_keras_object(config)
    assert copy.get_config() == loss.get_config()
    assert (copy.temperature, copy.chunk_size) == (0.2, 4)
