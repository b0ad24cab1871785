"""Seeded, stratified, disjoint splits, and the hash that names them."""

import hashlib

import numpy as np

from keras_contrastive.data.labels import as_whole_number
from keras_contrastive.data.labels import labels_or_count
from keras_contrastive.data.permutation import permutation_by_class
from keras_contrastive.data.permutation import random_words


def split(labels, fractions, seed):
    """Splits images into disjoint parts that hold every class alike.

    The parts' sizes are the fractions of all images, rounded by largest
    remainder. Of each class of c images the first part holds c times its
    fraction, rounded up or down (the later parts too, give or take one).

    Args:
        labels: int (N,), the class of each image; or int, the number of
            images that have no labels.
        fractions: sequence of float > 0, the share of the images for each
            part; their sum is at most 1, and what is left is in no part.
        seed: int >= 0. The same seed gives the same split again.

    Returns:
        Tuple of int64 arrays, the sorted row numbers of each part.

    Raises:
        ValueError: a bad argument, or a part that would be empty.

    Example:

    >>> labels = np.repeat(np.arange(10), 5000)
    >>> train, validation = split(labels, (0.9, 0.1), seed=0)
    >>> len(train), len(validation)
    (45000, 5000)
    """
    labels = labels_or_count(labels)
    seed = as_whole_number(seed, "seed", minimum=0)
    sizes = _part_sizes(len(labels), fractions)
    rest = permutation_by_class(labels, "split", seed)
    parts = []
    for part, size in enumerate(sizes):
        start = int(random_words(1, "split start", seed, part)[0])
        taken = _evenly_spaced(len(rest), size, start % len(rest))
        parts.append(np.sort(rest[taken]))
        rest = rest[~taken]
    return tuple(parts)


def hold_out_tenth(labels):
    """Splits off a tenth, at least one image: the same whenever it is called.

    Args:
        labels: int (N,), or int, as in `split`; at least two images.

    Returns:
        Pair of int64 arrays, the sorted row numbers of the nine tenths and
        of the tenth.
    """
    count = len(labels_or_count(labels))
    tenth = max(0.1, 1 / count)
    return split(labels, (1 - tenth, tenth), seed=0)


def index_hash(*index_arrays):
    """A short name for lists of row numbers, for the record of a run.

    Two runs with the same hash used the same images for the same part.

    Args:
        *index_arrays: integers (M,), one array a part, in order.

    Returns:
        str of 16 hexadecimal digits, the start of a SHA-256.

    Raises:
        ValueError: an array that is not a list of whole numbers.

    Example:

    >>> index_hash([0, 1], [2]) == index_hash([0], [1, 2])
    False
    """
    digest = hashlib.sha256()
    for position, indices in enumerate(index_arrays):
        indices = np.asarray(indices)
        if indices.ndim != 1 or not np.issubdtype(indices.dtype, np.integer):
            raise ValueError(
                f"`index_arrays` must be lists of row numbers, received "
                f"{indices.dtype} of shape {indices.shape} as number "
                f"{position}."
            )
        digest.update(len(indices).to_bytes(8, "little"))
        digest.update(indices.astype("<i8").tobytes())
    return digest.hexdigest()[:16]


def _part_sizes(count, fractions):
    fractions = np.atleast_1d(np.asarray(fractions, float))
    if fractions.ndim != 1 or not fractions.size or not (fractions > 0).all():
        raise ValueError(
            "`fractions` must be shares above 0, one a part, such as "
            f"(0.9, 0.1), received {fractions.tolist()}."
        )
    if fractions.sum() > 1 + 1e-9:
        raise ValueError(
            "`fractions` must sum to at most 1, received "
            f"{fractions.tolist()}, which sum to {fractions.sum():g}."
        )
    # 0.29 * 100 is 28.999999999999996: its floor gets the missing image back.
    exact = fractions * count
    sizes = np.floor(exact).astype(int)
    missing = int(np.floor(exact.sum() + 0.5)) - sizes.sum()
    sizes[np.argsort(sizes - exact, kind="stable")[:missing]] += 1
    if not sizes.all():
        raise ValueError(
            f"`fractions` must leave an image for every part, received "
            f"{fractions.tolist()} of {count} images, which are "
            f"{sizes.tolist()} images."
        )
    return sizes.tolist()


def _evenly_spaced(count, size, start):
    """A mask of `size` of `count` rows, as evenly spaced as can be.

    Systematic sampling: any run of c rows, hence every class, has
    c * size / count of them, rounded up or down.
    """
    steps = (np.arange(count + 1) * size + start) // count
    return np.diff(steps) == 1
