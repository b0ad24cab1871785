"""Epochs of which `data.batches` knows nothing: repeated, or of any policy."""

import numpy as np

from keras_contrastive import data
from keras_contrastive.data.permutation import permutation
from keras_contrastive.data.permutation import random_words


def repeated(images, indices, batch_size, steps, seed, labels=None):
    """Epochs of a given number of steps over few images.

    Each epoch makes as many passes as that takes, each in an order of its
    own; what does not fill a batch of a pass is left out.

    Args:
        images: all images.
        indices: int array, which of them to use.
        batch_size: int, at most as many.
        steps: int, batches an epoch.
        seed: int.
        labels: int array, one label for each of all images; or None.

    Returns:
        `data.Batches`.
    """
    steps_of_pass = len(indices) // batch_size
    passes = -(-steps // steps_of_pass)

    def rows_of(epoch):
        orders = [
            indices[permutation(len(indices), "repeated", seed, epoch, each)]
            for each in range(passes)
        ]
        full = [order[: steps_of_pass * batch_size] for order in orders]
        return np.concatenate(full)[: steps * batch_size]

    columns = {} if labels is None else {"labels": labels.astype("int32")}
    return data.Batches(images, columns, rows_of, batch_size)


class RandomPolicies(data.Batches):
    """Shuffled batches whose images get a policy drawn anew every epoch.

    Args:
        images: all images.
        indices: int array, which of them to use.
        batch_size: int.
        num_policies: int.
        seed: int.
    """

    def __init__(self, images, indices, batch_size, num_policies, seed):
        def rows_of(epoch):
            return indices[permutation(len(indices), "shuffled", seed, epoch)]

        super().__init__(images, {}, rows_of, batch_size)
        self.num_policies = num_policies
        self.seed = seed

    def made_columns(self, epoch, index):
        place = (self.seed, epoch, index)
        words = random_words(self.batch_size, "policies", *place)
        ids = words % np.uint64(self.num_policies)
        return {"policy_ids": ids.astype("int32")}
