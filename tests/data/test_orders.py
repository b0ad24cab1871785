"""Orders of an epoch: composition, coverage, fresh in each epoch."""

import numpy as np
import pytest

from keras_contrastive.data import orders

ROWS = np.random.default_rng(0).permutation(500)[:103]


def subsets_of(rows, num_subsets=4):
    """Subsets of unequal sizes, by row."""
    return (rows % 7) % num_subsets


ORDERS = {
    "shuffled": lambda seed: orders.shuffled(ROWS, seed),
    "stratified": lambda seed: orders.stratified(
        ROWS, subsets_of(ROWS), 8, seed
    ),
    "homogeneous": lambda seed: orders.homogeneous(
        ROWS, subsets_of(ROWS), 5, seed
    ),
    "classes": lambda seed: orders.classes(ROWS, subsets_of(ROWS), 6, 3, seed),
}


def test_sequential_is_the_order_of_the_rows():
    rows_of = orders.sequential(ROWS)
    assert np.array_equal(rows_of(0), ROWS)
    assert np.array_equal(rows_of(5), ROWS)


def test_shuffled_holds_every_row_once():
    rows = orders.shuffled(ROWS, 3)(0)
    assert np.array_equal(np.sort(rows), np.sort(ROWS))


@pytest.mark.parametrize("make", ORDERS.values(), ids=ORDERS)
def test_order_is_a_function_of_seed_and_epoch(make):
    rows_of = make(3)
    first, second = rows_of(0), rows_of(1)
    assert len(first) == len(second)
    assert np.array_equal(make(3)(1), second)
    assert np.array_equal(rows_of(0), first)
    assert np.mean(first == second) < 0.2
    assert np.mean(make(4)(0) == first) < 0.2
    # (seed 3, epoch 1) is not (seed 1, epoch 3), nor the sum of both.
    assert np.mean(make(1)(3) == second) < 0.2
    assert np.mean(make(4)(0) == second) < 0.2
    for rows in (first, second):
        assert len(np.unique(rows)) == len(rows)
        assert np.isin(rows, ROWS).all()


def test_stratified_rows_go_round_the_subsets():
    rows = orders.stratified(ROWS, subsets_of(ROWS), 8, 3)(2)
    smallest = np.bincount(subsets_of(ROWS)).min()
    assert len(rows) == smallest // 2 * 2 * 4
    assert np.array_equal(subsets_of(rows), np.arange(len(rows)) % 4)


def test_every_run_of_a_stratified_batch_holds_the_subsets_equally():
    batch = orders.stratified(ROWS, subsets_of(ROWS), 16, 0)(0)[:16]
    for start in range(13):
        assert sorted(subsets_of(batch[start : start + 4])) == [0, 1, 2, 3]


def test_stratified_epochs_use_all_images_in_the_end():
    rows_of = orders.stratified(ROWS, subsets_of(ROWS), 8, 3)
    seen = np.unique(np.concatenate([rows_of(epoch) for epoch in range(30)]))
    assert np.array_equal(seen, np.sort(ROWS))


def test_homogeneous_batches_are_of_one_subset_in_random_order():
    rows_of = orders.homogeneous(ROWS, subsets_of(ROWS), 5, 3)
    counts = np.bincount(subsets_of(ROWS))
    sequences = []
    for epoch in range(4):
        batches = subsets_of(rows_of(epoch)).reshape(-1, 5)
        assert np.all(batches == batches[:, :1])
        sequences.append(tuple(batches[:, 0].tolist()))
        assert np.bincount(batches[:, 0]).tolist() == (counts // 5).tolist()
    assert len(set(sequences)) == 4
    assert any(sequence != tuple(sorted(sequence)) for sequence in sequences)


@pytest.mark.parametrize(
    ("make", "sizes", "batch_size", "message"),
    [
        (orders.stratified, [9, 9, 9], 8, "`batch_size` .*8 for 3 subsets"),
        (orders.stratified, [9, 1, 9], 6, "`batch_size` takes 2 .*1 of 1;"),
        (orders.homogeneous, [9, 9, 4], 5, "`batch_size` takes 5 .*2 of 4;"),
        (orders.stratified, [9, 0, 9], 6, "`subset_ids` .*none of 1 .* of 2"),
        (orders.homogeneous, [0, 9], 6, "`subset_ids` .*none of 0 .* of 1"),
    ],
)
def test_subsets_that_do_not_make_batches(make, sizes, batch_size, message):
    subset_ids = np.repeat(np.arange(len(sizes)), sizes)
    with pytest.raises(ValueError, match=message):
        make(np.arange(len(subset_ids)), subset_ids, batch_size, 0)


def test_classes_are_as_many_images_each():
    labels = subsets_of(ROWS) * 10
    rows = orders.classes(ROWS, labels, 6, 3, 3)(2)
    by_class = subsets_of(rows).reshape(-1, 2, 3)
    assert (by_class == by_class[:, :, :1]).all()
    assert (by_class[:, 0, 0] != by_class[:, 1, 0]).all()
    # All but what does not fill a group of three, or has no second class.
    lots = np.bincount(subsets_of(ROWS)) // 3
    most = min(lots.sum() // 2, lots.sum() - lots.max())
    assert len(by_class) == most


@pytest.mark.parametrize(
    ("batch_size", "images_per_class", "message"),
    [
        (7, 3, "7 and 3"),
        (10, 2, "5 classes of 2 images, received 4 classes"),
        (80, 40, "40, and class 3 has"),
    ],
)
def test_classes_that_do_not_suffice_are_refused(
    batch_size, images_per_class, message
):
    with pytest.raises(ValueError, match=message):
        orders.classes(ROWS, subsets_of(ROWS), batch_size, images_per_class, 0)
