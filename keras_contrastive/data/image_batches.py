"""Batches of images as a sequence that `fit` takes."""

import keras
import numpy as np

from keras_contrastive.data.labels import as_whole_number


class Batches(keras.utils.PyDataset):
    """Batches in an order that is a function of the epoch; see `batches`.

    `epoch` is the epoch that `batches[i]` is of, from 0. It is one up after
    every pass, and can be set, to resume or to repeat.

    A pass is what Keras makes of one: `on_epoch_begin`, the last batch
    drawn, `on_epoch_end`. The `on_epoch_end` with which `fit` starts, before
    any epoch, does not count. Nor does a pass that breaks off before the last
    batch is drawn: the next `fit` starts it over. What Keras draws to build a
    model before it trains counts only if that reaches the last batch, which
    needs an epoch of one batch, or under a distribution strategy, which looks
    ahead, of a few: then set `epoch` when training begins.

    Args:
        images: as in `batches`.
        columns: dict of (M, ...) arrays, which travel with the images.
        rows_of: function from the epoch to the rows of the images in order,
            int64, equally many in each epoch.
        batch_size: int.
        drop_remainder: bool.

    Example:

    ```python
    batches = keras_contrastive.data.batches(images, 200)
    batches.epoch = 7
    for batch in batches:  # epoch 7
        ...
    ```
    """

    def __init__(
        self,
        images,
        columns,
        rows_of,
        batch_size,
        drop_remainder=True,
    ):
        super().__init__()
        self.batch_size = batch_size
        self._images = images
        self._columns = columns
        self._rows_of = rows_of
        self._order = 0, rows_of(0)
        self._num_rows = len(self._order[1])
        if drop_remainder:
            self._num_rows -= self._num_rows % batch_size
        self.epoch = 0

    @property
    def epoch(self):
        """The epoch that the batches are of, from 0."""
        return self._epoch

    @epoch.setter
    def epoch(self, epoch):
        self._epoch = as_whole_number(epoch, "epoch", minimum=0)
        self._begun = self._drawn = False

    @property
    def num_images(self):
        """Number of images in an epoch, without those left out."""
        return self._num_rows

    @property
    def labels(self):
        """Labels of the images in use, int32 (L,), or None without any."""
        labels = self._columns.get("labels")
        return None if labels is None else labels[self._rows()]

    @property
    def columns(self):
        """What batches are made of: `images`, and what travels with them."""
        return {"images": self._images, **self._columns}

    def __len__(self):
        return -(-self._num_rows // self.batch_size)

    def __getitem__(self, index):
        rows = self.row_numbers(index)
        return self._batch(rows, 0, self._epoch, index)

    def made_columns(self, epoch, index):
        """What a batch holds that does not belong to its images; none here.

        To be overridden, for ids that are drawn anew in each epoch. They come
        before columns of the same name; `resized` batches have none.

        Args:
            epoch: int, the epoch from 0.
            index: int, which batch of the epoch.

        Returns:
            Dict of arrays `(batch_size, ...)`, of the whole batch.
        """
        return {}

    def row_numbers(self, index):
        """Which rows of the images a batch holds.

        Args:
            index: int, which batch of the epoch.

        Returns:
            int64 array (N,).
        """
        if not 0 <= index < len(self):
            raise IndexError(
                f"`index` must be between 0 and {len(self) - 1}, received "
                f"{index}."
            )
        start = index * self.batch_size
        stop = min(start + self.batch_size, self._num_rows)
        if stop == self._num_rows:
            self._drawn = True
        return self._rows()[start:stop]

    def share(self, epoch, index, share, shares, fill_up=False):
        """One of several equal shares of a batch, for a replica.

        Args:
            epoch: int, the epoch from 0, whichever the batches are at.
            index: int, which batch of the epoch.
            share: int, which share of it, from 0.
            shares: int, how many there are; must divide the batch size.
            fill_up: bool, whether to add `weights`, float32 (N,), 1 where
                there are none, and to fill a batch that is not full up by its
                last image, with the weight 0.

        Returns:
            Dict, as a batch is; `positions` are those in the whole batch.
        """
        count = self.batch_size // shares
        first = share * count
        places = index * self.batch_size + first + np.arange(count)
        last = self._num_rows - 1
        rows = self._rows_of_epoch(epoch)[np.minimum(places, last)]
        batch = self._batch(rows, first, epoch, index)
        if fill_up:
            counts = (places <= last).astype(np.float32)
            batch["weights"] = counts * batch.get("weights", 1.0)
        return batch

    def on_epoch_begin(self):
        self._begun = True

    def on_epoch_end(self):
        if self._begun and self._drawn:
            self.epoch += 1
        self._begun = self._drawn = False

    def resized(self, batch_size):
        """The same images in the same order, in batches of another size.

        Args:
            batch_size: int.

        Returns:
            `Batches` of all these images, the last one maybe not full.
        """
        count = self._num_rows
        result = Batches(
            self._images,
            self._columns,
            lambda epoch: self._rows_of(epoch)[:count],
            batch_size,
            drop_remainder=False,
        )
        result.epoch = self.epoch
        return result

    def _batch(self, rows, first, epoch, index):
        places = np.arange(first, first + len(rows), dtype=np.int32)
        batch = {"images": _taken(self._images, rows), "positions": places}
        for name, column in self._columns.items():
            batch[name] = _taken(column, rows)
        for name, column in self.made_columns(epoch, index).items():
            batch[name] = column[places]
        return batch

    def _rows(self):
        return self._rows_of_epoch(self._epoch)

    def _rows_of_epoch(self, epoch):
        # One tuple, read and written at once: Keras may draw batches in
        # several threads.
        known, rows = self._order
        if known != epoch:
            rows = self._rows_of(epoch)
            self._order = epoch, rows
        return rows


def _taken(column, rows):
    taken = np.asarray(column[rows])
    if np.issubdtype(taken.dtype, np.floating):
        return taken.astype(np.float32, copy=False)
    return taken
