"""Class-balanced subsets of a training set."""

import numpy as np

from keras_contrastive.data.labels import as_whole_number
from keras_contrastive.data.labels import labels_or_count
from keras_contrastive.data.permutation import permutation
from keras_contrastive.data.permutation import permutation_by_class


def partition(labels, num_subsets, seed):
    """Puts every image into one of several class-balanced random subsets.

    Subsets are disjoint and cover all images. Their sizes differ by at most
    one, and so do their numbers of images of each class.

    Args:
        labels: int (N,), the class of each image; or int, the number of
            images that have no labels.
        num_subsets: int, between 1 and the number of images.
        seed: int >= 0. The same seed gives the same subsets again.

    Returns:
        int32 (N,), the subset of each image, 0 to num_subsets - 1.

    Raises:
        ValueError: a bad argument.

    Example:

    >>> subset_ids = partition(np.repeat(np.arange(10), 4500), 10, seed=0)
    >>> np.bincount(subset_ids).tolist()
    [4500, 4500, 4500, 4500, 4500, 4500, 4500, 4500, 4500, 4500]
    """
    labels = labels_or_count(labels)
    num_subsets = as_whole_number(num_subsets, "num_subsets", minimum=1)
    seed = as_whole_number(seed, "seed", minimum=0)
    if num_subsets > len(labels):
        raise ValueError(
            "`num_subsets` must be at most the number of images, received "
            f"{num_subsets} for {len(labels)} images."
        )
    # Dealt like cards, class after class: a class continues where the last
    # one stopped, so neither classes nor subsets are off by more than one.
    # Who is dealt to first is drawn too, lest subset 0 be always the largest.
    dealt = np.arange(len(labels)) % num_subsets
    subsets = permutation(num_subsets, "partition subsets", seed)
    subset_ids = np.empty(len(labels), np.int32)
    subset_ids[permutation_by_class(labels, "partition", seed)] = subsets[dealt]
    return subset_ids
