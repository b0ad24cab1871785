"""Batches that are all full, for devices to share them equally.

On JAX a batch is one array over all devices, which must divide its rows.
"""

import keras

from keras_contrastive.distribution.feed import check_batch_size
from keras_contrastive.distribution.feed import steps_of_epoch


def whole_batches(batches, replicas, fill_up=False):
    """Full batches for several devices, from batches in a known order.

    Args:
        batches: `data.Batches`.
        replicas: int, how many devices share a batch.
        fill_up: bool, as in `distribution.feed.feed`.

    Returns:
        keras.utils.PyDataset of whole batches.

    Raises:
        ValueError: for a batch size that the devices cannot share.
    """
    check_batch_size(batches.batch_size, replicas)
    return WholeBatches(batches, steps_of_epoch(batches, fill_up), fill_up)


class WholeBatches(keras.utils.PyDataset):
    """The batches of a `Batches`, the last one filled up or left out.

    Args:
        batches: `data.Batches`; its `epoch` is whose batches these are.
        steps: int, how many there are.
        fill_up: bool, as in `distribution.feed.feed`.
    """

    def __init__(self, batches, steps, fill_up):
        super().__init__()
        self._batches = batches
        self._steps = steps
        self._fill_up = fill_up

    def __len__(self):
        return self._steps

    def __getitem__(self, index):
        epoch = self._batches.epoch
        return self._batches.share(epoch, index, 0, 1, self._fill_up)
