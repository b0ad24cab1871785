"""Rows go to the split they should, and nothing is lost on the way."""

import numpy as np
import pytest
from keras import ops

from keras_contrastive.layers.split_assignment import split_assignment

IDS = [2, 0, 2, 2, 0, 0]


@pytest.mark.parametrize(
    ("assignment", "num_splits", "expected"),
    [
        ("contiguous", 3, [0, 0, 1, 1, 2, 2]),
        ("contiguous", 2, [0, 0, 0, 1, 1, 1]),
        ("interleaved", 3, [0, 1, 2, 0, 1, 2]),
        ("interleaved", 2, [0, 1, 0, 1, 0, 1]),
        ("ids", 4, IDS),
    ],
)
def test_rows_are_summed_and_spread_by_split(assignment, num_splits, expected):
    split_ids = ops.convert_to_tensor(IDS) if assignment == "ids" else None
    splits = split_assignment(assignment, num_splits, 6, split_ids)
    rows = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    member = np.eye(num_splits, dtype="float32")[expected]
    np.testing.assert_allclose(
        splits.sums(rows), member.T @ rows, rtol=1e-5, atol=1e-6
    )
    np.testing.assert_array_equal(splits.counts[:, 0], member.sum(0))
    values = np.arange(num_splits * 4.0).reshape(num_splits, 4)
    np.testing.assert_array_equal(splits.spread(values), values[expected])


@pytest.mark.parametrize("assignment", ["contiguous", "interleaved"])
def test_a_remainder_is_refused_with_both_numbers(assignment):
    with pytest.raises(ValueError, match="batch of 10 rows.* 4 equal"):
        split_assignment(assignment, 4, 10)


@pytest.mark.parametrize("assignment", ["contiguous", "interleaved"])
def test_a_remainder_is_refused_when_only_the_step_knows_the_batch(
    tf, assignment
):
    @tf.function(input_signature=[tf.TensorSpec((None, 3))])
    def sums(rows):
        return split_assignment(assignment, 4, tf.shape(rows)[0]).sums(rows)

    assert sums(np.ones((8, 3), "float32")).shape == (4, 3)
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="A batch of.*10.* 4 equal"
    ):
        sums(np.ones((10, 3), "float32"))


def test_spread_of_an_unknown_batch_size(tf):
    @tf.function(input_signature=[tf.TensorSpec((None, 2))])
    def spread(rows):
        num_rows = tf.shape(rows)[0]
        return [
            split_assignment(assignment, 2, num_rows).spread(rows[:2])
            for assignment in ("contiguous", "interleaved")
        ]

    rows = np.arange(8.0, dtype="float32").reshape(4, 2)
    contiguous, interleaved = spread(rows)
    np.testing.assert_array_equal(contiguous, rows[[0, 0, 1, 1]])
    np.testing.assert_array_equal(interleaved, rows[[0, 1, 0, 1]])


def test_ids_are_required_by_ids_and_refused_by_the_others():
    with pytest.raises(ValueError, match="`split_ids` is None"):
        split_assignment("ids", 2, 4)
    with pytest.raises(ValueError, match="assignment='contiguous'"):
        split_assignment("contiguous", 2, 4, np.zeros(4, "int32"))
    with pytest.raises(ValueError, match=r"shape \(rows,\), received \(4, 1\)"):
        split_assignment("ids", 2, 4, np.zeros((4, 1), "int32"))
