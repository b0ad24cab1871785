"""What all losses have in common: invariances, and half precision."""

import numpy as np
import pytest
from keras import ops

from keras_contrastive import losses
from tests.losses.rows import ARGUMENTS
from tests.losses.rows import FUNCTIONS
from tests.losses.rows import LABELS
from tests.losses.rows import rows_of


def turned(arguments):
    """The same embeddings in a coordinate system that is turned."""
    generator = np.random.default_rng(5)
    rotation = np.linalg.qr(generator.normal(size=(4, 4)))[0].astype("float32")
    return [
        each @ rotation if np.ndim(each) == 2 else each for each in arguments
    ]


def reordered(arguments, order):
    return [each[order] if np.ndim(each) else each for each in arguments]


def test_no_loss_is_left_out():
    assert sorted(ARGUMENTS) == sorted(FUNCTIONS)


# A Gaussian of independent dimensions knows its axes.
@pytest.mark.parametrize(
    "name",
    sorted(
        set(FUNCTIONS)
        - {"gaussian_kl", "batch_gaussian_kl", "siamese_composite"}
    ),
)
def test_axes_do_not_matter(name):
    np.testing.assert_allclose(
        rows_of(name, turned(ARGUMENTS[name])),
        rows_of(name, ARGUMENTS[name]),
        rtol=1e-4,
        atol=1e-5,
    )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_order_of_rows_does_not_matter(name):
    order = np.random.default_rng(6).permutation(6)
    rows = rows_of(name, ARGUMENTS[name])
    expected = rows
    if np.ndim(rows):
        both = len(rows) == 12
        expected = rows[np.concatenate([order, order + 6])] if both else (
            rows[order]
        )  # fmt: skip
    found = rows_of(name, reordered(ARGUMENTS[name], order))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["supervised_contrastive", "triplet"])
def test_the_names_of_classes_do_not_matter(name):
    labels, *others = ARGUMENTS[name]
    renamed = np.array([7, 0, 3], "int32")[labels]
    np.testing.assert_array_equal(
        rows_of(name, (renamed, *others)), rows_of(name, ARGUMENTS[name])
    )


@pytest.mark.parametrize(
    "name",
    [
        "alignment",
        "decoupled_contrastive",
        "info_nce",
        "nt_xent",
        "similarity_consistency",
        "supervised_contrastive",
        "uniformity",
    ],
)
def test_lengths_do_not_matter_to_cosines(name):
    lengths = np.linspace(0.2, 5, 6)[:, None]
    scaled = [
        (lengths * each).astype("float32") if np.ndim(each) == 2 else each
        for each in ARGUMENTS[name]
    ]
    np.testing.assert_allclose(
        rows_of(name, scaled),
        rows_of(name, ARGUMENTS[name]),
        rtol=1e-4,
        atol=1e-5,
    )


@pytest.mark.parametrize(
    "name", ["pair_distance", "margin_contrastive", "triplet", "given_triplet"]
)
def test_where_zero_is_does_not_matter_to_distances(name):
    moved = [
        each + np.float32(3) if np.ndim(each) == 2 else each
        for each in ARGUMENTS[name]
    ]
    np.testing.assert_allclose(
        rows_of(name, moved),
        rows_of(name, ARGUMENTS[name]),
        rtol=1e-4,
        atol=1e-4,
    )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_half_precision_is_raised_before_it_matters(name, dtype):
    # What the halves are exactly, so that only the calculation can differ.
    halves = [
        ops.cast(each, dtype) if np.ndim(each) and each is not LABELS else each
        for each in ARGUMENTS[name]
    ]
    exact = [
        ops.convert_to_numpy(ops.cast(each, "float32"))
        if np.ndim(each) and each is not LABELS
        else each
        for each in halves
    ]
    rows = getattr(losses, name)(*halves)
    assert rows.dtype in ("float32", ops.zeros((), "float32").dtype)
    np.testing.assert_allclose(
        ops.convert_to_numpy(rows), rows_of(name, exact), rtol=1e-5, atol=1e-6
    )
