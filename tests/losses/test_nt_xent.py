import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive import losses


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


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_low_temperature_in_half_precision_is_finite(dtype):
    views = [ops.cast(view, dtype) for view in random_views(8, 16)]
    rows = losses.nt_xent(*views, 0.01)
    assert keras.backend.standardize_dtype(rows.dtype) == "float32"
    assert np.isfinite(ops.convert_to_numpy(rows)).all()


def test_zero_vectors_are_finite():
    zeros = np.zeros((4, 8), "float32")
    np.testing.assert_allclose(numpy_rows(zeros, zeros), np.log(7), rtol=1e-5)


def test_gradient_equals_finite_differences_in_float64():
    tf = pytest.importorskip("tensorflow")
    view_1, view_2 = random_views(5, 4, dtype="float64")
    weights = np.random.default_rng(3).normal(size=10)

    def value(first, second):
        return ops.sum(losses.nt_xent(first, second, 0.3) * weights)

    variables = [tf.Variable(view_1), tf.Variable(view_2)]
    with tf.GradientTape() as tape:
        total = value(*variables)
    assert total.dtype == tf.float64
    for which, gradient in enumerate(tape.gradient(total, variables)):
        for index in np.ndindex(view_1.shape):
            differences = []
            for sign in (1, -1):
                shifted = [view_1.copy(), view_2.copy()]
                shifted[which][index] += sign * 1e-6
                differences.append(sign * float(value(*shifted)))
            numeric = sum(differences) / 2e-6
            np.testing.assert_allclose(
                gradient[index], numeric, rtol=1e-5, atol=1e-7
            )


@pytest.mark.parametrize("temperature", [0, 0.0, -1, float("nan")])
def test_a_temperature_that_is_not_positive_is_refused(temperature):
    views = random_views(4, 3)
    with pytest.raises(ValueError, match=f"`temperature`.*{temperature}"):
        losses.nt_xent(*views, temperature)
    with pytest.raises(ValueError, match="`temperature`"):
        losses.NTXent(temperature)


def test_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match=r"\(4, 3\) and \(5, 3\)"):
        losses.nt_xent(np.ones((4, 3)), np.ones((5, 3)))


def test_loss_is_the_mean_of_the_rows():
    views = random_views(9, 6)
    loss = losses.NTXent(temperature=0.2)
    expected = numpy_rows(*views, 0.2).mean()
    np.testing.assert_allclose(float(loss(*views)), expected, rtol=1e-6)


def test_loss_survives_serialization():
    loss = losses.NTXent(temperature=0.2, name="mine")
    config = keras.saving.serialize_keras_object(loss)
    copy = keras.saving.deserialize_keras_object(config)
    assert copy.get_config() == loss.get_config()
    assert copy.temperature == 0.2
