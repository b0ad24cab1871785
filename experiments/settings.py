"""The settings of the study, and what each changes.

The study's source confounds which random views an image gets, how a batch is
composed, and over which images statistics are taken. Here these are fields.
"""

import dataclasses

import numpy as np

from experiments import devices
from experiments.epochs import RandomPolicies
from experiments.epochs import repeated
from keras_contrastive import data
from keras_contrastive import layers
from keras_contrastive import views


@dataclasses.dataclass(frozen=True)
class Setting:
    """One way to train.

    Attributes:
        images: `"all"`, or `"one_subset"`: the first subset only.
        policies: `"one"` for all images, `"by_subset"`, or `"random"`: any of
            the subsets' policies, drawn anew for each image and epoch.
        order: `"shuffled"` batches, or `"stratified"`: as many images of
            each group as of any other.
        groups: None, `"subsets"` or `"random"`: which images share batch
            statistics; all of a batch where None.
        group_affine: whether scale and shift belong to a group, too.
    """

    images: str = "all"
    policies: str = "one"
    order: str = "shuffled"
    groups: str | None = None
    group_affine: bool = False


SETTINGS = {
    "unsplit": Setting(),
    "one_subset": Setting(images="one_subset"),
    "split": Setting(
        policies="by_subset", order="stratified", groups="subsets"
    ),
    "mixed": Setting(policies="by_subset", groups="subsets", group_affine=True),
    "split_random": Setting(
        policies="by_subset", order="stratified", groups="random"
    ),
    "multi_policy": Setting(policies="random"),
}


def describe(setting, num_subsets, subset_policies, policy):
    """What a setting does, in words, for the report.

    Args:
        setting: Setting.
        num_subsets: int.
        subset_policies: `"distinct"` or `"same"`.
        policy: name of the policy where subsets have none of their own.

    Returns:
        Dict of sentences: images, policies, batches, normalization,
        inference.
    """
    one = f"{policy} for every image"
    several = one
    if subset_policies == "distinct":
        several = {
            "one": one,
            "by_subset": f"subset k has policy k of {num_subsets}",
            "random": f"any of {num_subsets}, drawn for each image and epoch",
        }[setting.policies]
    group = {None: "batch", "subsets": "subset", "random": "random group"}
    own = group[setting.groups]
    affine = own if setting.group_affine else "network"
    return {
        "images": "all"
        if setting.images == "all"
        else f"one of {num_subsets} subsets, as many steps",
        "policies": one if setting.policies == "one" else several,
        "batches": "drawn at random"
        if setting.order == "shuffled"
        else f"a share from each {own}",
        "normalization": f"statistics a {own}, scale and shift a {affine}",
        "inference": "moving statistics"
        if setting.groups is None
        else f"mean of the {num_subsets} branches",
    }


def view_policy(setting, num_subsets, subset_policies, policy):
    """The random views of a setting.

    Args:
        setting: Setting.
        num_subsets: int.
        subset_policies: `"distinct"` or `"same"`.
        policy: name of the policy where subsets have none of their own.

    Returns:
        A view policy; several in one, chosen by `policy_ids`, where subsets
        differ.
    """
    if setting.policies == "one" or subset_policies == "same":
        return views.policy(policy)
    # Of fewer than ten the weakest, the strongest, and those in between.
    levels = np.linspace(0, 9, num_subsets).round().astype(int)
    return views.policies([f"graded_{level}" for level in levels])


def normalization(setting, num_subsets):
    """The normalization of a setting, as encoders and heads take it.

    Args:
        setting: Setting.
        num_subsets: int.

    Returns:
        `"batch"` or a SplitBatchNormalization to be used as a template.
    """
    if setting.groups is None:
        return "batch"
    return layers.SplitBatchNormalization(
        num_subsets,
        "ids",
        split_statistics=True,
        split_affine=setting.group_affine,
    )


def training_batches(setting, study_data, batch_size, seed, subset_policies):
    """The batches that a setting trains on, as many steps for each setting.

    Args:
        setting: Setting.
        study_data: StudyData.
        batch_size: int.
        seed: int.
        subset_policies: `"distinct"` or `"same"`.

    Returns:
        `data.Batches`.
    """
    train = study_data.train
    distinct = subset_policies == "distinct"
    if setting.images == "one_subset":
        chosen = train.indices[study_data.subset_ids == 0]
        steps = len(train) // batch_size
        size = devices.shareable(min(batch_size, len(chosen)))
        return repeated(train.images, chosen, size, steps, seed)
    if distinct and setting.policies == "random":
        num_policies = int(study_data.subset_ids.max()) + 1
        return RandomPolicies(
            train.images, train.indices, batch_size, num_policies, seed
        )
    groups = {
        None: None,
        "subsets": study_data.subset_ids,
        "random": study_data.random_ids,
    }[setting.groups]
    by_subset = distinct and setting.policies == "by_subset"
    return data.batches(
        train.images,
        batch_size,
        indices=train.indices,
        order=setting.order,
        subset_ids=_for_all(train, groups),
        split_ids=_for_all(train, groups),
        policy_ids=_for_all(
            train, study_data.subset_ids if by_subset else None
        ),
        seed=seed,
    )


def _for_all(train, ids):
    """Ids of a part's images, as ids of all images it is taken from."""
    if ids is None:
        return None
    everywhere = np.zeros(len(train.images), "int32")
    everywhere[train.indices] = ids
    return everywhere
