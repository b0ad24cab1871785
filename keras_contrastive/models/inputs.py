"""Batches of whatever a user gives to `fit`, `evaluate` and `predict`."""

import keras
import numpy as np
from keras import ops

from keras_contrastive.distribution import replicas
from keras_contrastive.models.equal_lengths import check_lengths

# Enough negatives for a useful gradient, little enough for any machine.
DEFAULT_BATCH_SIZE = 256
# Columns that batches take as arguments of their own.
ID_NAMES = ("split_ids", "policy_ids", "labels")


def training(x, y, batch_size, shuffle, seed, multiple=1):
    """Batches in an order that is a function of the seed and the epoch.

    Args:
        x: images as an array, a dict of arrays, or anything that yields
            batches.
        y: labels or None.
        batch_size: int or None.
        shuffle: bool.
        seed: int.
        multiple: int, what the batch size is a multiple of, if none is given.

    Returns:
        `data.Batches` where `x` is an array or a dict, else `x`.

    Raises:
        ValueError: for arrays of unequal length, or what goes with arrays
            beside batches.
    """
    _refuse_what_is_no_array("x", x)
    if not _is_of_arrays(x):
        _refuse_with_batches("y", y)
        _refuse_with_batches("batch_size", batch_size)
        return x
    order = "shuffled" if shuffle else "sequential"
    return _batches(x, y, batch_size, multiple, order=order, seed=seed)


def evaluation(x, y, batch_size, num_replicas=1, drop_remainder=True):
    """Batches in the order of the data.

    Args:
        x: images as an array, a dict of arrays, or anything that yields
            batches.
        y: labels or None.
        batch_size: int or None.
        num_replicas: int, among how many a batch is shared out.
        drop_remainder: bool, whether to leave out what does not fill a batch.

    Returns:
        `data.Batches` where `x` is an array or a dict, else `x`.

    Raises:
        ValueError: for arrays of unequal length.
    """
    _refuse_what_is_no_array("x", x)
    if not _is_of_arrays(x):
        return x
    return _batches(
        x, y, batch_size, num_replicas,
        order="sequential", drop_remainder=drop_remainder,
    )  # fmt: skip


def names_of(x):
    """The names of what data holds, as far as it is known.

    Args:
        x: images, a dict of arrays, or anything that yields batches.

    Returns:
        Set of str.
    """
    return set(x) if isinstance(x, dict) else {"images"}


def size_for(x, batch_size, multiple=1):
    """A batch size for validation images: that of training, or all of them.

    Args:
        x: as in `evaluation`.
        batch_size: int, that of training.
        multiple: int, what the batch size is a multiple of.

    Returns:
        int, or None where `evaluation` is to choose.
    """
    if not _is_of_arrays(x):
        return None
    images = x.get("images", ()) if isinstance(x, dict) else x
    size = min(batch_size, len(images))
    return size - size % multiple or None


def check_images(x):
    """Refuses NumPy images that are none, or not in their range.

    Args:
        x: images, or a dict that holds `images`; anything but NumPy arrays
            passes.

    Raises:
        ValueError: for another rank, type or range, or a dict without
            images.
    """
    from keras_contrastive.data import images as data_images

    _refuse_what_is_no_array("x", x)
    if isinstance(x, dict):
        _check_has_images(x)
    images = x["images"] if isinstance(x, dict) else x
    if isinstance(images, np.ndarray):
        data_images.check_images(images)


def images_and_labels(validation_data):
    """Splits `validation_data` into images and labels, or None.

    Args:
        validation_data: images, `(images, labels)` or batches.

    Returns:
        Tuple of two.
    """
    if not isinstance(validation_data, (tuple, list)):
        return validation_data, None
    if len(validation_data) not in (1, 2):
        raise ValueError(
            "`validation_data` must be images, (images,) or (images, labels), "
            f"received a tuple of {len(validation_data)}."
        )
    images, *labels = validation_data
    return images, labels[0] if labels else None


def are_batches(data):
    """Whether data is `data.Batches`, of which order and columns are known.

    Args:
        data: what `fit`, `evaluate` or `predict` takes.

    Returns:
        bool.
    """
    from keras_contrastive.data.image_batches import Batches

    return isinstance(data, Batches)


def are_rows(data):
    """Whether data is `data.Batches`, or tells the numbers of their rows.

    Args:
        data: what `fit`, `evaluate` or `predict` takes.

    Returns:
        bool.
    """
    from keras_contrastive.data.row_batches import RowBatches

    return are_batches(data) or isinstance(data, RowBatches)


def are_made_of_columns(data):
    """Whether batches are rows of their columns, and what is made for them.

    Args:
        data: what `fit` takes.

    Returns:
        bool, False for batches of a class that composes them by itself.
    """
    from keras_contrastive.data.image_batches import Batches

    return are_batches(data) and type(data).__getitem__ is Batches.__getitem__


class EpochOrder(keras.callbacks.Callback):
    """Sets the epoch whose order the batches are in.

    What Keras draws to build a model, and where it looks ahead, then cannot
    shift the order, and a run that is resumed meets the order it would have
    had.

    Args:
        batches: `data.Batches`.
    """

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch, logs=None):
        self.batches.epoch = epoch


def batch_dict(data):
    """A batch as a dict, from what a data adapter yields.

    Args:
        data: dict, images, `(images,)` or `(images, labels)`.

    Returns:
        Dict with `images` and `positions` at least.
    """
    parts = data if isinstance(data, (tuple, list)) else (data,)
    batch = dict(parts[0]) if isinstance(parts[0], dict) else {}
    if not batch:
        batch["images"] = parts[0]
    if len(parts) > 1 and parts[1] is not None:
        batch.setdefault("labels", parts[1])
    if "positions" not in batch:
        count = replicas.checked_rows(batch["images"])
        first = replicas.index() * count
        batch["positions"] = first + ops.arange(count, dtype="int32")
    return batch


def _batches(x, labels, batch_size, multiple, **kwargs):
    from keras_contrastive import data

    columns = dict(x) if isinstance(x, dict) else {"images": x}
    columns = {name: _as_array(each) for name, each in columns.items()}
    _check_has_images(columns)
    check_lengths(**columns)
    # Batches count their rows themselves.
    columns.pop("positions", None)
    images = columns.pop("images")
    ids = {name: columns.pop(name, None) for name in ID_NAMES}
    if labels is not None:
        ids["labels"] = labels
    if batch_size is None:
        batch_size = min(max(DEFAULT_BATCH_SIZE, multiple), len(images))
        batch_size -= batch_size % multiple
        if not batch_size:
            raise ValueError(
                f"A batch must be a multiple of {multiple} images, of which "
                f"all replicas and splits have as many, received {len(images)} "
                "in all; give more images, or take fewer devices or splits."
            )
    return data.batches(images, batch_size, columns=columns, **ids, **kwargs)


def _is_of_arrays(x):
    return isinstance(x, dict) or (hasattr(x, "shape") and hasattr(x, "dtype"))


def _refuse_what_is_no_array(name, x):
    """Refuses what Keras would take for several inputs, and nothing."""
    if x is None or isinstance(x, (list, tuple)):
        kind = "None" if x is None else f"a {type(x).__name__} of {len(x)}"
        raise ValueError(
            f"`{name}` must be images as one array, a dict of arrays, or "
            f"batches, received {kind}; numpy.stack makes an array of a list."
        )


def _check_has_images(columns):
    if "images" not in columns:
        raise ValueError(
            "A dict of arrays must have `images` among them, received "
            f"{sorted(columns)}."
        )


def _as_array(values):
    """What integer arrays can index; tensors cannot be."""
    return ops.convert_to_numpy(values) if ops.is_tensor(values) else values


def _refuse_with_batches(name, value):
    if value is not None:
        raise ValueError(
            f"`{name}` goes with images as arrays, received {value!r} "
            "beside data that come in batches of their own."
        )
