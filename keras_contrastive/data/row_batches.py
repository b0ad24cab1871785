"""Batches of row numbers, for images that lie on the device already."""

import keras
import numpy as np


class RowBatches(keras.utils.PyDataset):
    """The batches of a `Batches`, told by the numbers of their rows.

    A batch is a dict of `row_numbers`, int32 (N,), `positions`, int32 0 to
    N - 1, and what is made for it. Whoever holds `columns` gathers the rest.

    Args:
        batches: `Batches`.

    Attributes:
        columns: dict of what to gather from: `images`, and what travels with
            them, each (M, ...).
        epoch: as that of `Batches`.
    """

    def __init__(self, batches):
        super().__init__()
        self._batches = batches

    @property
    def columns(self):
        return self._batches.columns

    @property
    def epoch(self):
        return self._batches.epoch

    @epoch.setter
    def epoch(self, epoch):
        self._batches.epoch = epoch

    def __len__(self):
        return len(self._batches)

    def __getitem__(self, index):
        rows = self._batches.row_numbers(index).astype(np.int32)
        made = self._batches.made_columns(self.epoch, index)
        return {
            "row_numbers": rows,
            "positions": np.arange(len(rows), dtype=np.int32),
            **{name: column[: len(rows)] for name, column in made.items()},
        }

    def on_epoch_begin(self):
        self._batches.on_epoch_begin()

    def on_epoch_end(self):
        self._batches.on_epoch_end()
