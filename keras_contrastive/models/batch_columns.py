"""What batches hold, held against the model that is to take them.

Inside a step no value can be looked at, and an id too many is a gather out of
range; here arrays are NumPy's still.
"""

import math
import warnings

import numpy as np

from keras_contrastive.distribution import replicas
from keras_contrastive.layers.routed_model import check_split_ids
from keras_contrastive.layers.routed_model import num_splits_by_id
from keras_contrastive.layers.split_batch_normalization import (
    SplitBatchNormalization,
)

#: Images that are compared with those of a batch, row by row.
COMPARED = ("other_images", "positive_images", "negative_images")


def check_training(model, batches):
    """Refuses batches that a model cannot be trained on.

    Args:
        model: ContrastiveModel.
        batches: `data.Batches`.

    Raises:
        ValueError: for too few images a batch, images that the encoder does
            not take, or ids that are missing or out of range.
    """
    check_evaluation(model, batches)
    multiple = _multiple_of_splits(model, batches.columns)
    if batches.batch_size % multiple:
        raise ValueError(
            f"`batch_size` must be a multiple of {multiple}, that the splits "
            "of batch normalization share equally, received "
            f"{batches.batch_size}; take another, or another number of splits."
        )
    splits, policies = _num_splits(model), _num_policies(model)
    if splits and not _hold(batches, "split_ids"):
        raise ValueError(
            f"`split_ids` must say which of {splits} splits each image is "
            "normalized in, received none; pass {'images': images, "
            "'split_ids': ids}, or `split_ids` of `data.batches`."
        )
    if policies and not _hold(batches, "policy_ids"):
        raise ValueError(
            f"`policy_ids` must say which of {policies} policies makes each "
            "image's views, received none; pass {'images': images, "
            "'policy_ids': ids}, or `policy_ids` of `data.batches`."
        )


def batch_multiple(model, columns):
    """What a batch size must be a multiple of, for replicas and splits.

    Args:
        model: ContrastiveModel.
        columns: names of what batches hold.

    Returns:
        int, 1 if any batch size will do.
    """
    return math.lcm(model.num_replicas, _multiple_of_splits(model, columns))


def _multiple_of_splits(model, columns):
    """The least batch of which splits by place have equal shares."""
    rows = model.rows_per_image(columns)
    multiple = 1
    for layer in model._flatten_layers():
        # At rest it normalizes by moving statistics.
        if not (layer.trainable and isinstance(layer, SplitBatchNormalization)):
            continue
        if layer.num_splits == 1 or layer.assignment == "ids":
            continue
        is_whole = layer.synchronized or replicas.is_global(model.strategy)
        parts = layer.num_splits * (1 if is_whole else model.num_replicas)
        # Neighbours are views of one image, and share a contiguous split.
        is_shared = layer.assignment == "contiguous" and model.row_lots == 1
        apart = min(rows, 1) if is_shared else rows
        multiple = math.lcm(multiple, parts // math.gcd(parts, apart))
    return multiple


def check_evaluation(model, batches):
    """Refuses batches that a model cannot be evaluated on.

    Args:
        model: ContrastiveModel.
        batches: `data.Batches`.

    Raises:
        ValueError: as `check_training`, but for ids that are missing.
    """
    columns = batches.columns
    shape = _shape(columns["images"])
    for name in COMPARED:
        if name in columns and _shape(columns[name]) != shape:
            raise ValueError(
                f"`{name}` must be images of the shape of `images`, {shape}, "
                f"received {_shape(columns[name])}; resize them first."
            )
    _check_shape(model, shape, [policy.size for policy in model.policies])
    _check_ids(model, columns)
    if not columns.keys() & set(COMPARED):
        _check_number(model, batches.batch_size)


def check_prediction(model, columns):
    """Refuses images or ids that a model cannot predict from.

    Args:
        model: ContrastiveModel.
        columns: dict of `images`, and maybe `split_ids`.

    Raises:
        ValueError: for images that the encoder does not take, or ids out of
            range.
    """
    _check_shape(model, _shape(columns["images"]), [None])
    _check_ids(model, columns)


def warn_of_a_single_image(model, batch):
    """Warns of a batch of which a model learns nothing.

    Batches that are no `data.Batches` are first seen in a step. It may be the
    last one of an epoch, so that nothing is refused.

    Args:
        model: ContrastiveModel.
        batch: dict of tensors, as a step has it.
    """
    # Unknown where it is traced for any number; replicas have one each.
    alone = tuple(batch["images"].shape)[0] == 1 and replicas.count() == 1
    if alone and model.least_images > 1 and not batch.keys() & set(COMPARED):
        warnings.warn(
            f"{type(model).__name__} compares an image with the others of its "
            "batch, received a batch of one, whose loss says nothing; batch "
            "the data, by dataset.batch(256) for instance.",
            stacklevel=2,
        )


def _hold(batches, name):
    """Whether batches hold something; of their own making, maybe."""
    return name in batches.columns or name in batches[0]


def _shape(images):
    """The shape of an image, of an array or of what arrays can index."""
    known = getattr(images, "shape", None)
    return tuple(known or np.shape(images[np.arange(1)]))[1:]


def _check_shape(model, shape, sizes):
    """Refuses images of which the encoder takes no views of these sizes."""
    inputs = getattr(model.encoder, "inputs", None)
    if not inputs or len(inputs[0].shape) != 4:
        return
    wanted = tuple(inputs[0].shape)[1:]
    for size in sizes:
        view = (*(size or shape[:2]), shape[2])
        if all(each in (None, its) for each, its in zip(wanted, view)):
            continue
        what = "`images`" if size is None else "The views of `images`"
        raise ValueError(
            f"{what} must be of the shape {wanted} that `encoder` takes, "
            f"received {view}; {_advice(wanted, view)}."
        )


def _advice(wanted, received):
    if (wanted[-1], received[-1]) == (3, 1):
        return "numpy.repeat(images, 3, axis=-1) gives grey ones three channels"
    if wanted[-1] not in (None, received[-1]):
        return f"build the encoder with input_shape={received}"
    return f"resize them, or build the encoder with input_shape={received}"


def _check_ids(model, columns):
    check_split_ids(columns.get("split_ids"), _num_splits(model))
    count, ids = _num_policies(model), columns.get("policy_ids")
    if count and isinstance(ids, np.ndarray) and ids.max(initial=0) >= count:
        raise ValueError(
            f"`policy_ids` must be from 0 to {count - 1}, received {ids.min()} "
            f"to {ids.max()}; the model has {count} policies, counted from 0."
        )
    same = columns.get("same")
    if isinstance(same, np.ndarray) and not np.isin(same, (0, 1)).all():
        raise ValueError(
            "`same` must be 1 for pairs that are alike and 0 for others, "
            f"received values from {same.min()} to {same.max()}."
        )


def _num_splits(model):
    """How many splits ids choose from, None where they choose nothing."""
    # With a split for inference, ids are the model's own.
    own = model.inference_split is not None
    return None if own else num_splits_by_id(model)


def _num_policies(model):
    """How many policies ids choose from, None where there is one."""
    counts = [len(getattr(each, "policies", ())) for each in model.policies]
    return min(filter(None, counts), default=None)


def _check_number(model, batch_size):
    if model.candidates == "local":
        batch_size //= model.num_replicas
    if batch_size < model.least_images:
        raise ValueError(
            f"`batch_size` must be at least {model.least_images}, received "
            f"{batch_size}; {type(model).__name__} compares an image with the "
            "others of its batch."
        )
