"""A context sees its own row and those above it, and none below."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive.layers import causal_context

ROWS, COLUMNS, DIM = 5, 4, 3


def network(kind, units=6):
    keras.utils.set_random_seed(0)
    return causal_context(kind, (ROWS, COLUMNS), DIM, units)


def grid(seed=0):
    generator = np.random.default_rng(seed)
    shape = (2, ROWS, COLUMNS, DIM)
    return generator.normal(size=shape).astype("float32")


def influence(model, row, column):
    """Which contexts change with the features at a place, (rows, columns)."""
    changed = grid()
    changed[0, row, column] += 1.0
    before, after = (ops.convert_to_numpy(model(x)) for x in (grid(), changed))
    # The other image of the batch is not concerned.
    np.testing.assert_array_equal(before[1], after[1])
    return np.abs(after - before)[0].max(axis=-1)


@pytest.mark.parametrize("kind", ["gru", "conv"])
@pytest.mark.parametrize("row", range(ROWS))
def test_no_row_sees_one_below(kind, row):
    moved = influence(network(kind), row, 1)
    assert (moved[:row] == 0).all()
    # All from the row itself down to the last.
    assert (moved[row:, 1] > 1e-6).all()


def test_a_column_of_the_gru_is_by_itself():
    moved = influence(network("gru"), 0, 1)
    assert (moved[:, [0, 2, 3]] == 0).all()


def test_the_convolution_sees_neighbours_on_both_sides():
    moved = influence(network("conv"), 0, 1)
    assert (moved > 1e-6).all()


def test_the_gru_is_one_run_down_each_column():
    model = network("gru")
    gru = model.get_layer("gru")
    features = grid()
    found = ops.convert_to_numpy(model(features))
    assert found.shape == (2, ROWS, COLUMNS, 6)
    for column in range(COLUMNS):
        expected = ops.convert_to_numpy(gru(features[:, :, column]))
        np.testing.assert_allclose(
            found[:, :, column], expected, rtol=1e-5, atol=1e-6
        )


@pytest.mark.parametrize("kind", ["gru", "conv"])
def test_it_is_saved(kind, tmp_path):
    model = network(kind)
    model.save(tmp_path / "context.keras")
    loaded = keras.saving.load_model(tmp_path / "context.keras")
    np.testing.assert_array_equal(loaded(grid()), model(grid()))


def test_units_are_those_of_the_features():
    model = causal_context("gru", (2, 3), 7)
    assert model.output_shape == (None, 2, 3, 7)


def test_other_kinds_are_refused():
    with pytest.raises(ValueError, match="A context must .*'lstm'"):
        causal_context("lstm", (3, 3), 8)
