import numpy as np
import pytest

from keras_contrastive.evaluation.features import as_features
from keras_contrastive.evaluation.features import as_labels
from keras_contrastive.evaluation.features import check_same_dim
from keras_contrastive.evaluation.features import normalized
from keras_contrastive.evaluation.features import sampled


@pytest.mark.parametrize("dtype", ["float16", "float64", "uint8", "bool"])
def test_any_real_dtype_becomes_float32(dtype):
    values = np.array([[1, 0, 1], [0, 1, 1]], dtype)
    features = as_features(values)
    assert features.dtype == np.float32
    np.testing.assert_array_equal(features, values.astype("float32"))


def test_bfloat16_is_taken():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    values = np.array([[1.5, -2.0]], ml_dtypes.bfloat16)
    np.testing.assert_array_equal(as_features(values), [[1.5, -2.0]])


def test_float32_is_not_copied():
    values = np.ones((3, 2), "float32")
    assert as_features(values) is values


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_rows_that_are_not_finite_are_counted(bad):
    values = np.ones((7, 3))
    values[2, 0] = values[2, 1] = values[5, 2] = bad
    with pytest.raises(ValueError, match="`bank` must be finite.* 2 of 7 rows"):
        as_features(values, "bank")


@pytest.mark.parametrize("shape", [(3,), (3, 2, 2), (0, 4), (4, 0), ()])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="of shape \\(N, dim\\)") as error:
        as_features(np.zeros(shape))
    assert str(shape) in str(error.value)


@pytest.mark.parametrize(
    "values", [[["a", "b"]], [[1j, 2.0]], np.array([[None, 1]])]
)
def test_what_is_no_number_is_refused(values):
    with pytest.raises(ValueError, match="real numbers"):
        as_features(values)


def test_labels_are_vectors_of_integers():
    np.testing.assert_array_equal(as_labels([3, -1, 3]), [3, -1, 3])
    assert as_labels(np.array([1, 2], "uint8")).dtype == np.int64
    for bad in ([], [[1], [2]], [0.5, 1.0], ["cat"], 3):
        with pytest.raises(ValueError, match="vector of integers"):
            as_labels(bad)


def test_labels_of_another_length_are_refused():
    with pytest.raises(ValueError, match="`bank`, received 2 for 3 rows"):
        as_labels([1, 2], 3, "labels", "bank")


def test_widths_that_differ_are_refused():
    with pytest.raises(ValueError, match="`b` .*`a`, received 5 and 4"):
        check_same_dim(np.ones((2, 4)), np.ones((2, 5)), "a", "b")


def test_rows_have_unit_length_at_any_scale():
    values = np.random.default_rng(0).normal(size=(50, 7))
    expected = values / np.linalg.norm(values, axis=1, keepdims=True)
    for scale in (1e-30, 1.0, 1e30):
        unit = normalized(as_features(values * scale))
        np.testing.assert_allclose(unit, expected, atol=1e-6)


def test_rows_of_zeros_stay_zeros():
    values = np.array([[0, 0], [3, 4]], "float32")
    np.testing.assert_allclose(normalized(values), [[0, 0], [0.6, 0.8]])
    np.testing.assert_array_equal(values, [[0, 0], [3, 4]])


def test_a_sample_is_sorted_distinct_and_seeded():
    rows = sampled(1000, 100, seed=3)
    assert len(np.unique(rows)) == 100 and (np.diff(rows) > 0).all()
    assert rows.max() > 800 and rows.min() < 200
    np.testing.assert_array_equal(rows, sampled(1000, 100, seed=3))
    assert (rows != sampled(1000, 100, seed=4)).any()
    for maximum in (5, 9, None):
        np.testing.assert_array_equal(sampled(5, maximum, 0), range(5))
