"""What each setting of the study trains on, and how it normalizes."""

import numpy as np
import pytest

from experiments import settings
from experiments import study_data
from keras_contrastive import layers

SUBSETS = 5
BATCH_SIZE = 20


@pytest.fixture
def cut(dataset):
    return study_data.load(
        f"npz:{dataset}", None, 32, "standard", num_subsets=SUBSETS
    )


def batches_of(name, cut, subset_policies="distinct"):
    """All batches of the first epoch of a setting."""
    batches = settings.training_batches(
        settings.SETTINGS[name], cut, BATCH_SIZE, 0, subset_policies
    )
    return [batches[index] for index in range(len(batches))]


def places(batch, cut):
    """Where a batch's images stand among those to train on."""
    train = cut.train.load()
    return np.array(
        [
            np.flatnonzero((train == image).all(axis=(1, 2, 3))).item()
            for image in batch["images"]
        ]
    )


@pytest.mark.parametrize("name", ["split", "mixed", "split_random"])
def test_subsets_have_policies_and_groups_have_statistics(name, cut):
    groups = cut.random_ids if name == "split_random" else cut.subset_ids
    for batch in batches_of(name, cut):
        rows = places(batch, cut)
        np.testing.assert_array_equal(batch["policy_ids"], cut.subset_ids[rows])
        np.testing.assert_array_equal(batch["split_ids"], groups[rows])
    assert (cut.random_ids != cut.subset_ids).any()


def test_batches_hold_as_many_of_each_group_but_for_mixed(cut):
    def shares(name):
        return np.array(
            [
                np.bincount(batch["split_ids"], minlength=SUBSETS)
                for batch in batches_of(name, cut)
            ]
        )

    for name in ("split", "split_random"):
        assert (shares(name) == BATCH_SIZE // SUBSETS).all()
    assert (shares("mixed") != BATCH_SIZE // SUBSETS).any()


def test_unsplit_knows_no_subsets(cut):
    (batch, *_) = batches_of("unsplit", cut)
    assert not {"split_ids", "policy_ids"} & batch.keys()


def test_one_subset_is_one_subset(cut):
    batches = batches_of("one_subset", cut)
    rows = np.concatenate([places(batch, cut) for batch in batches])
    assert set(rows) <= set(np.flatnonzero(cut.subset_ids == 0))
    assert len(batches) == len(batches_of("unsplit", cut))


def test_several_policies_go_to_any_image(cut):
    batches = batches_of("multi_policy", cut)
    ids = np.concatenate([batch["policy_ids"] for batch in batches])
    rows = np.concatenate([places(batch, cut) for batch in batches])
    assert set(ids) == set(range(SUBSETS))
    assert (ids != cut.subset_ids[rows]).any()
    assert "split_ids" not in batches[0]


@pytest.mark.parametrize("name", settings.SETTINGS)
def test_subsets_may_have_the_same_policy(name, cut):
    setting = settings.SETTINGS[name]
    (batch, *_) = batches_of(name, cut, "same")
    assert "policy_ids" not in batch
    assert ("split_ids" in batch) == (setting.groups is not None)
    same = settings.view_policy(setting, SUBSETS, "same", "simclr")
    assert not hasattr(same, "policies")
    distinct = settings.view_policy(setting, SUBSETS, "distinct", "simclr")
    several = setting.policies != "one"
    assert len(getattr(distinct, "policies", [distinct])) == (
        SUBSETS if several else 1
    )


def test_what_groups_have_of_their_own():
    plain = {
        name: settings.normalization(setting, SUBSETS)
        for name, setting in settings.SETTINGS.items()
    }
    for name in ("unsplit", "one_subset", "multi_policy"):
        assert plain[name] == "batch"
    for name in ("split", "mixed", "split_random"):
        layer = plain[name]
        assert isinstance(layer, layers.SplitBatchNormalization)
        assert (layer.num_splits, layer.assignment) == (SUBSETS, "ids")
        assert layer.split_statistics
        assert layer.split_affine == (name == "mixed")
