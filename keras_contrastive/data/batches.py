"""Batches of images as dicts, in an order that is a function of the epoch."""

import logging

import numpy as np

from keras_contrastive.data import orders
from keras_contrastive.data.images import check_images
from keras_contrastive.data.labels import as_labels
from keras_contrastive.data.labels import as_whole_number

_LOGGER = logging.getLogger(__name__)
_ORDERS = ("shuffled", "stratified", "homogeneous", "classes", "sequential")


def batches(
    images,
    batch_size,
    *,
    labels=None,
    subset_ids=None,
    split_ids=None,
    policy_ids=None,
    columns=None,
    indices=None,
    order="shuffled",
    images_per_class=4,
    seed=0,
    drop_remainder=True,
):
    """Batches for `fit`, `evaluate` or a loop of one's own.

    A batch is a dict of `images` as they are (uint8, or float32), `positions`
    int32 0 to N - 1, what was given of `split_ids`, `policy_ids` and
    `labels`, int32 (N,), and of further columns. Orders, each a function of
    (seed, epoch):

    - `"shuffled"`: a fresh order of all images in every epoch.
    - `"stratified"`: of K subsets, N / K images each in every batch; row r
      belongs to subset r mod K.
    - `"homogeneous"`: one subset a batch.
    - `"classes"`: some classes a batch, `images_per_class` images of each.
    - `"sequential"`: the order of the images, for evaluation.

    Args:
        images: uint8 0..255 or float [0, 1], (M, height, width, channels):
            an array, a memory map, or anything with a length that integer
            arrays can index.
        batch_size: int, N.
        labels: int (M,), the class of each image.
        subset_ids: int (M,), the subset of each image, 0 to K - 1, which the
            stratified and the homogeneous order go by.
        split_ids: int (M,), for split batch normalization that goes by id.
        policy_ids: int (M,), which view policy each image gets.
        columns: dict of further arrays (M, ...) that travel with the images,
            under the names that they have in it, such as `positive_images`;
            those of four axes are images too.
        indices: int (L,), the rows of the images to use; by default all.
        order: str, as above.
        images_per_class: int, K of the order of classes.
        seed: int >= 0.
        drop_remainder: bool, whether to leave out what does not fill a batch
            (the log says how many images); only the shuffled and the
            sequential order can do otherwise.

    Returns:
        `Batches`, a `keras.utils.PyDataset`. Pass `shuffle=False` to a stock
        `fit`, which otherwise shuffles the order of the batches once more.

    Raises:
        ValueError: a bad argument.

    Example:

    ```python
    train = keras_contrastive.data.load("digits").train
    batches = keras_contrastive.data.batches(train.images, 200)
    batches[0]["images"].shape  # (200, 32, 32, 3)
    ```
    """
    # It is Keras's, and loads a backend: sources of images do without.
    from keras_contrastive.data.image_batches import Batches

    check_images(images)
    ids = {"split_ids": split_ids, "policy_ids": policy_ids, "labels": labels}
    columns = _checked_columns(ids, columns or {}, len(images))
    rows = _checked_rows(indices, len(images))
    batch_size = as_whole_number(batch_size, "batch_size", minimum=1)
    if batch_size > len(rows) and drop_remainder:
        raise ValueError(
            "`batch_size` must be at most the number of images, received "
            f"{batch_size} for {len(rows)} images."
        )
    if subset_ids is not None:
        subset_ids = as_labels(subset_ids, "subset_ids", len(images))[rows]
    seed = as_whole_number(seed, "seed", minimum=0)
    if order == "classes":
        subset_ids = _labels_of(labels, rows)
    _check_order(order, subset_ids, drop_remainder)
    rows_of = _rows_of(
        order, rows, subset_ids, batch_size, images_per_class, seed
    )
    result = Batches(images, columns, rows_of, batch_size, drop_remainder)
    if result.num_images < len(rows):
        _LOGGER.info(
            "%d of %d images do not fill a batch of %d and are left out of "
            "every epoch.",
            len(rows) - result.num_images,
            len(rows),
            batch_size,
        )
    return result


def _checked_columns(ids, others, count):
    """What travels with the images: ids as int32, anything else as it is."""
    clashing = others.keys() & {"images", "positions", *ids}
    if clashing:
        raise ValueError(
            "`columns` must have names of their own, received "
            f"{sorted(clashing)}; batches have these already, or take them "
            "as arguments."
        )
    columns = {
        name: as_labels(values, name, count=count)
        for name, values in ids.items()
        if values is not None
    }
    for name, column in others.items():
        if isinstance(column, (list, tuple)):
            column = np.asarray(column)
        if len(column) != count:
            raise ValueError(
                f"`{name}` must have one entry for each image, received "
                f"{len(column)} for {count} images."
            )
        if np.ndim(column[np.arange(1)]) == 4:
            check_images(column, name)
        columns[name] = column
    return columns


def _checked_rows(indices, count):
    if indices is None:
        return np.arange(count)
    rows = np.asarray(indices)
    if (
        rows.ndim != 1
        or not rows.size
        or not np.issubdtype(rows.dtype, np.integer)
    ):
        raise ValueError(
            "`indices` must be a list of row numbers, received "
            f"{rows.dtype} of shape {rows.shape}; `numpy.flatnonzero` makes "
            "one of a mask."
        )
    if rows.min() < 0 or rows.max() >= count:
        raise ValueError(
            f"`indices` must lie between 0 and {count - 1}, received "
            f"{rows.min()} to {rows.max()}."
        )
    return rows.astype(np.int64)


def _check_order(order, subset_ids, drop_remainder):
    if order not in _ORDERS:
        raise ValueError(
            f"`order` must be one of {_ORDERS}, received {order!r}."
        )
    if order in ("shuffled", "sequential"):
        return
    if subset_ids is None:
        raise ValueError(
            f"`subset_ids` must be given for the {order} order, received "
            "None; `data.partition` makes some."
        )
    if not drop_remainder:
        raise ValueError(
            f"`drop_remainder` must be True for the {order} order, received "
            "False: a part of a batch would not be composed as the others."
        )


def _labels_of(labels, rows):
    if labels is None:
        raise ValueError(
            "`labels` must be given for the order of classes, received None."
        )
    return np.asarray(labels)[rows]


def _rows_of(order, rows, subset_ids, batch_size, images_per_class, seed):
    if order == "sequential":
        return orders.sequential(rows)
    if order == "shuffled":
        return orders.shuffled(rows, seed)
    if order == "stratified":
        return orders.stratified(rows, subset_ids, batch_size, seed)
    if order == "homogeneous":
        return orders.homogeneous(rows, subset_ids, batch_size, seed)
    images_per_class = as_whole_number(
        images_per_class, "images_per_class", minimum=2
    )
    return orders.classes(rows, subset_ids, batch_size, images_per_class, seed)
