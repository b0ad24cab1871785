"""The orders of an epoch: which row of the images stands where.

Each is a pure function of (seed, epoch), so an epoch can be repeated, resumed
and looked ahead of. What does not fill a batch is left out, another part of
the images in each epoch.
"""

import numpy as np

from keras_contrastive.data.permutation import permutation


def sequential(rows):
    """The rows as they come, for evaluation.

    Args:
        rows: int (M,), the rows of the images to use.

    Returns:
        Function from the epoch to int64 (M,).
    """
    return lambda epoch: rows


def shuffled(rows, seed):
    """A fresh order of all rows in every epoch.

    Args:
        rows: int (M,), the rows of the images to use.
        seed: int >= 0.

    Returns:
        Function from the epoch to int64 (M,).
    """
    return lambda epoch: rows[permutation(len(rows), "shuffled", seed, epoch)]


def stratified(rows, subset_ids, batch_size, seed):
    """Batches that hold equally many images of each of K subsets.

    Row r of a batch belongs to subset r mod K, so every run of rows whose
    length K divides holds the subsets equally: what a replica sees too.

    Args:
        rows: int (M,), the rows of the images to use.
        subset_ids: int (M,), the subset of each of these rows.
        batch_size: int, a multiple of K.
        seed: int >= 0.

    Returns:
        Function from the epoch to int64 (B * batch_size,), B being what the
        smallest subset suffices for.

    Raises:
        ValueError: a subset without images, or too few for one batch.
    """
    groups = _groups(rows, subset_ids)
    if batch_size % len(groups):
        raise ValueError(
            "`batch_size` must be a multiple of the number of subsets for "
            f"the stratified order, received {batch_size} for {len(groups)} "
            "subsets."
        )
    per_subset = batch_size // len(groups)
    _check_sizes(groups, per_subset)
    used = min(len(group) for group in groups) // per_subset * per_subset

    def rows_of(epoch):
        drawn = [
            group[permutation(len(group), "stratified", seed, epoch, subset)]
            for subset, group in enumerate(groups)
        ]
        return np.stack([group[:used] for group in drawn], axis=1).ravel()

    return rows_of


def homogeneous(rows, subset_ids, batch_size, seed):
    """Batches of one subset each, batches of all subsets in random order.

    Args:
        rows: int (M,), the rows of the images to use.
        subset_ids: int (M,), the subset of each of these rows.
        batch_size: int.
        seed: int >= 0.

    Returns:
        Function from the epoch to int64 (B * batch_size,), B being the sum
        of the whole batches of the subsets.

    Raises:
        ValueError: a subset without images, or too few for one batch.
    """
    groups = _groups(rows, subset_ids)
    _check_sizes(groups, batch_size)

    def rows_of(epoch):
        batches = []
        for subset, group in enumerate(groups):
            order = permutation(len(group), "homogeneous", seed, epoch, subset)
            used = len(group) // batch_size * batch_size
            batches.append(group[order[:used]].reshape(-1, batch_size))
        batches = np.concatenate(batches)
        order = permutation(len(batches), "homogeneous order", seed, epoch)
        return batches[order].ravel()

    return rows_of


def classes(rows, labels, batch_size, images_per_class, seed):
    """Batches of P classes with K images each, for losses that go by labels.

    A batch takes the P classes of which most is left, so that few images are
    left out where classes are of unequal size; which of them come first is
    drawn anew in every epoch. Images of a class are neighbours.

    Args:
        rows: int (M,), the rows of the images to use.
        labels: int (M,), the class of each of these rows.
        batch_size: int, P times K.
        images_per_class: int, K.
        seed: int >= 0.

    Returns:
        Function from the epoch to int64 (B * batch_size,).

    Raises:
        ValueError: if K does not divide the batch, a class has fewer than K
            images, or there are fewer than P classes.

    Reference:
        Hermans et al. 2017, https://arxiv.org/abs/1703.07737
    """
    names, ids = np.unique(labels, return_inverse=True)
    groups = _groups(rows, ids)
    _check_classes(groups, names, batch_size, images_per_class)
    per_batch = batch_size // images_per_class

    def rows_of(epoch):
        lots = []
        for each, group in enumerate(groups):
            order = permutation(len(group), "classes", seed, epoch, each)
            used = len(group) // images_per_class * images_per_class
            lots.append(list(group[order[:used]].reshape(-1, images_per_class)))
        batches = []
        while True:
            place = len(batches)
            tie = permutation(len(lots), "class order", seed, epoch, place)
            left = np.array([len(lots[each]) for each in tie])
            chosen = tie[np.argsort(-left, kind="stable")[:per_batch]]
            if not all(lots[each] for each in chosen):
                break
            batches.append(np.concatenate([lots[c].pop() for c in chosen]))
        drawn = np.stack(batches)
        order = permutation(len(drawn), "class batches", seed, epoch)
        return drawn[order].ravel()

    return rows_of


def _groups(rows, subset_ids):
    """The rows of subset 0, 1, and so on."""
    counts = np.bincount(subset_ids)
    if not counts.all():
        raise ValueError(
            "`subset_ids` must number the subsets 0 to K - 1, each with "
            f"images, received none of {np.flatnonzero(counts == 0)[0]} but "
            f"some of {len(counts) - 1}."
        )
    by_subset = np.argsort(subset_ids, kind="stable")
    return np.split(rows[by_subset], np.cumsum(counts)[:-1])


def _check_classes(groups, names, batch_size, images_per_class):
    if batch_size % images_per_class:
        raise ValueError(
            "`batch_size` must be a multiple of `images_per_class`, received "
            f"{batch_size} and {images_per_class}."
        )
    per_batch = batch_size // images_per_class
    if per_batch > len(groups):
        raise ValueError(
            f"`batch_size` takes {per_batch} classes of {images_per_class} "
            f"images, received {len(groups)} classes; choose a smaller batch "
            "or more `images_per_class`."
        )
    sizes = [len(group) for group in groups]
    if min(sizes) < images_per_class:
        raise ValueError(
            "`images_per_class` must be at most the images of every class, "
            f"received {images_per_class}, and class "
            f"{names[np.argmin(sizes)]} has {min(sizes)}; leave the class "
            "out, or choose fewer."
        )


def _check_sizes(groups, needed):
    sizes = [len(group) for group in groups]
    if min(sizes) < needed:
        raise ValueError(
            f"`batch_size` takes {needed} images of one subset for a batch, "
            f"received a subset {int(np.argmin(sizes))} of {min(sizes)}; its "
            "images would never be seen."
        )
