"""Epochs of few images, and of policies drawn anew."""

import numpy as np
import pytest

from experiments.epochs import RandomPolicies
from experiments.epochs import repeated

IMAGES = np.arange(60, dtype="uint8")[:, None, None, None] * np.ones(
    (1, 2, 2, 3), "uint8"
)
CHOSEN = np.arange(5, 18)


def rows_of(batches, epoch):
    batches.epoch = epoch
    return [each["images"][:, 0, 0, 0].tolist() for each in batches]


def test_few_images_make_as_many_steps_as_are_asked_for():
    batches = repeated(IMAGES, CHOSEN, 4, 7, seed=0)
    first, second = rows_of(batches, 0), rows_of(batches, 1)
    assert len(first) == 7
    # A pass of three batches holds no image twice.
    for start in (0, 3):
        rows = sum(first[start : start + 3], [])
        assert len(set(rows)) == 12 and set(rows) <= set(CHOSEN.tolist())
    assert first[:3] != first[3:6] and first != second
    assert rows_of(repeated(IMAGES, CHOSEN, 4, 7, seed=0), 1) == second
    assert rows_of(repeated(IMAGES, CHOSEN, 4, 7, seed=1), 0) != first


def test_policies_are_drawn_for_each_image_and_epoch():
    batches = RandomPolicies(IMAGES, np.arange(60), 20, 3, seed=0)
    epochs = []
    for epoch in (0, 1):
        batches.epoch = epoch
        epochs.append(np.concatenate([each["policy_ids"] for each in batches]))
    assert all(set(each.tolist()) == {0, 1, 2} for each in epochs)
    assert (epochs[0] != epochs[1]).any()
    assert epochs[0].dtype == "int32"


@pytest.mark.parametrize("shares", [2, 4])
def test_shares_have_the_policies_of_the_whole_batch(shares):
    batches = RandomPolicies(IMAGES, np.arange(60), 20, 3, seed=0)
    batches.epoch = 1
    whole = batches[2]
    batches.epoch = 0
    parts = [batches.share(1, 2, share, shares) for share in range(shares)]
    for name in ("images", "policy_ids", "positions"):
        joined = np.concatenate([part[name] for part in parts])
        np.testing.assert_array_equal(joined, whole[name], err_msg=name)
