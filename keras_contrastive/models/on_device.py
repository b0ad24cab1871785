"""Images that live on the device, where batches are gathered by index.

Sent batch by batch, small images keep a fast device waiting for its host:
every batch is cut out of an array, copied and sent. Where all images fit on
the device they are sent once, and a batch is but the numbers of its rows.
"""

import keras
import numpy as np
from keras import ops

from keras_contrastive.distribution import replicas
from keras_contrastive.models import inputs
from keras_contrastive.models.backend_step import backend_step
from keras_contrastive.models.batch_columns import warn_of_a_single_image

# A part of what most accelerators have; CIFAR-10 takes 0.15 GiB.
LARGEST_GIB = 4


class OnDevice:
    """What a model does whose images are on the device; part of all models.

    `fit` puts the images there by `placed`, and hands on batches of row
    numbers; each step begins with `batch_of`, which gathers those rows.
    """

    _placed = None

    @property
    def columns_on_device(self):
        """Dict of tensors that batches are gathered from, or None."""
        return None if self._placed is None else self._placed.tensors

    def placed(self, batches, asked=None):
        """Puts what batches are made of on the device, where that is wanted.

        It stays there, and is sent again only where it has changed.

        Args:
            batches: `data.Batches`, or any data that `fit` takes.
            asked: bool, or None to decide by the device and the size.

        Returns:
            `data.row_batches.RowBatches`, or the batches as they are.

        Raises:
            ValueError: if it is asked for and cannot be done.
        """
        if asked is None:
            asked = self._gains(batches)
        elif asked:
            self._check_can_be_placed(batches)
        if not asked:
            self._hold(None)
            return batches
        from keras_contrastive.data.row_batches import RowBatches

        rows = RowBatches(batches)
        if self._placed is None or not self._placed.holds(rows.columns):
            # First what was there goes: both might not fit.
            self._hold(None)
            self._hold(_Placed(rows.columns))
        return rows

    def batch_of(self, data, columns=None):
        """A batch as a dict, from what a data adapter yields.

        Args:
            data: as in `inputs.batch_dict`, or a dict with `row_numbers`.
            columns: dict of tensors to gather from; by default those that
                are on the device.

        Returns:
            Dict with `images` and `positions` at least.
        """
        if not (isinstance(data, dict) and "row_numbers" in data):
            batch = inputs.batch_dict(data)
            warn_of_a_single_image(self, batch)
            return batch
        batch = dict(data)
        numbers = batch.pop("row_numbers")
        for name, column in (columns or self.columns_on_device).items():
            if name not in batch:  # Else it was made for the batch.
                batch[name] = backend_step().take_rows(column, numbers)
        return batch

    def _hold(self, placed):
        if placed is not self._placed:
            self._placed = placed
            if keras.backend.backend() == "tensorflow":
                # It was traced with what was there before.
                self.train_function = None

    def _gains(self, batches):
        size = _size(batches)
        return (
            size is not None
            and size <= LARGEST_GIB * 2**30
            and not self._shares_batches
            and backend_step().has_accelerator()
        )

    @property
    def _shares_batches(self):
        """Whether a strategy deals batches out, be it to one device."""
        of_tensorflow = self.strategy and not replicas.is_global(self.strategy)
        return bool(of_tensorflow) or self.num_replicas > 1

    def _check_can_be_placed(self, batches):
        if self._shares_batches:
            raise ValueError(
                "`data_on_device` must be False or None on several devices, "
                "and under any strategy of tf.distribute, received True; "
                "there batches are dealt out."
            )
        if _size(batches) is None:
            raise ValueError(
                "`data_on_device` is for images as an array, or batches that "
                "`data.batches` made of one, received data of another kind; "
                "leave it out."
            )


class _Placed:
    """What lies on the device."""

    def __init__(self, columns):
        self.tensors = {
            name: backend_step().put_on_device(_as_batches_have(column))
            for name, column in columns.items()
        }

    def holds(self, columns):
        """Whether that is what these arrays hold now."""
        return self.tensors.keys() == columns.keys() and all(
            np.array_equal(
                ops.convert_to_numpy(self.tensors[name]),
                _as_batches_have(column),
            )
            for name, column in columns.items()
        )


def _size(batches):
    """Bytes of all that batches are made of; None if it is no arrays."""
    if not inputs.are_made_of_columns(batches):
        return None
    columns = batches.columns.values()
    if not all(isinstance(column, np.ndarray) for column in columns):
        return None
    return sum(column.nbytes for column in columns)


def _as_batches_have(column):
    """Floats as float32, like those of batches."""
    return column.astype("float32") if column.dtype.kind == "f" else column
