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

LABELS = np.array([0, 1, 0, 2, 1, 0, 3], "int32")


def numpy_rows(*args, **kwargs):
    return ops.convert_to_numpy(losses.supervised_contrastive(*args, **kwargs))


def by_loops(labels, embeddings, temperature):
    """The paper's L_out, one anchor and one positive at a time."""
    vectors = unit(embeddings)
    rows = []
    for i, anchor in enumerate(vectors):
        others = [j for j in range(len(vectors)) if j != i]
        total = sum(np.exp(anchor @ vectors[j] / temperature) for j in others)
        terms = [
            -np.log(np.exp(anchor @ vectors[j] / temperature) / total)
            for j in others
            if labels[j] == labels[i]
        ]
        rows.append(np.mean(terms) if terms else 0.0)
    return np.array(rows)


@pytest.mark.parametrize("temperature", [0.07, 0.5, 2.0])
@pytest.mark.parametrize("dim", [2, 16])
def test_equals_the_loops(temperature, dim):
    embeddings = random_embeddings(7, dim)
    np.testing.assert_allclose(
        numpy_rows(LABELS, embeddings, temperature),
        by_loops(LABELS, embeddings, temperature),
        rtol=2e-5,
        atol=2e-5,
    )


def test_without_labels_it_is_nt_xent():
    view_1, view_2 = random_embeddings(6, 4), random_embeddings(6, 4, seed=1)
    labels = np.tile(np.arange(6), 2)
    np.testing.assert_allclose(
        numpy_rows(labels, np.concatenate([view_1, view_2]), 0.3),
        ops.convert_to_numpy(losses.nt_xent(view_1, view_2, 0.3)),
        rtol=1e-5,
    )


def test_all_equal_gives_the_log_of_the_others():
    rows = numpy_rows([0, 0, 1, 1, 1], np.ones((5, 3), "float32"))
    np.testing.assert_allclose(rows, np.log(4), rtol=1e-5)


def test_an_anchor_without_positives_has_no_say():
    embeddings = random_embeddings(7, 4)
    rows, weights = losses.supervised_contrastive(
        LABELS, embeddings, with_weights=True
    )
    np.testing.assert_array_equal(weights, [1, 1, 1, 0, 1, 1, 0])
    rows = ops.convert_to_numpy(rows)
    assert (rows[[3, 6]] == 0).all()
    assert (rows[[0, 1, 2, 4, 5]] > 0).all()
    loss = losses.SupervisedContrastive(0.1)
    expected = rows.sum() / 5
    found = float(loss(LABELS, embeddings))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    # Keras hands labels on as a column.
    found = float(loss(LABELS[:, None], embeddings))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_no_positive_at_all_is_zero_with_a_gradient():
    embeddings = random_embeddings(4, 3)

    def value(tensor):
        return losses.SupervisedContrastive(0.01)(np.arange(4), tensor)

    assert float(value(embeddings)) == 0.0
    np.testing.assert_array_equal(gradients(value, embeddings)[0], 0.0)


@pytest.mark.parametrize("size", [1, 3])
def test_chunks_of_rows_are_the_whole(size):
    embeddings = random_embeddings(7, 5)
    whole = numpy_rows(LABELS, embeddings)
    parts = [
        numpy_rows(
            LABELS[part],
            embeddings[part],
            candidate_labels=LABELS,
            candidates=embeddings,
            positions=np.arange(7)[part],
        )
        for part in in_chunks(7, size)
    ]
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-5)


def test_gradient_equals_finite_differences():
    check_gradient(
        lambda each: losses.supervised_contrastive(LABELS, each, 0.3),
        random_embeddings(7, 3, dtype="float64"),
    )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_low_temperature_in_half_precision_is_finite(dtype):
    embeddings = ops.cast(random_embeddings(7, 16), dtype)
    rows = losses.supervised_contrastive(LABELS, embeddings, 0.01)
    assert keras.backend.standardize_dtype(rows.dtype) == "float32"
    assert np.isfinite(ops.convert_to_numpy(rows)).all()


def test_it_survives_serialization():
    check_serialization(losses.SupervisedContrastive(0.3, name="mine"))


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r"`labels`.*\(3,\) and \(4, 2\)"):
        losses.supervised_contrastive([0, 0, 1], np.ones((4, 2)))
    with pytest.raises(ValueError, match="go together"):
        losses.supervised_contrastive(
            [0, 0], np.ones((2, 2)), candidates=np.ones((4, 2))
        )
    with pytest.raises(ValueError, match="`temperature`"):
        losses.supervised_contrastive([0, 0], np.ones((2, 2)), 0.0)
    with pytest.raises(ValueError, match="`temperature`"):
        losses.SupervisedContrastive(-0.1)
