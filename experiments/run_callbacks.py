"""What a run writes while it trains."""

import statistics
import time

import keras

from experiments.interrupts import INTERRUPTS


class Stopwatch(keras.callbacks.Callback):
    """Times the epochs by themselves; to stand before all monitors.

    Args:
        images_per_epoch: int.
        records: list of dicts, those of `RunLog`, to which each epoch's
            seconds go: an interrupted run has its first epochs there.
    """

    def __init__(self, images_per_epoch, records):
        super().__init__()
        self.images_per_epoch = images_per_epoch
        self.records = records

    def on_epoch_begin(self, epoch, logs=None):
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        logs["seconds"] = time.perf_counter() - self._start

    @property
    def total(self):
        """Seconds of all epochs."""
        return sum(self._seconds)

    @property
    def images_per_second(self):
        """Median over the epochs; the first, which compiles, left out.

        None of a worker that has no records: those of earlier epochs are the
        chief's.
        """
        epochs = self._seconds[1:] or self._seconds
        if not epochs:
            return None
        return self.images_per_epoch / statistics.median(epochs)

    @property
    def _seconds(self):
        return [record["seconds"] for record in self.records]


class RunLog(keras.callbacks.Callback):
    """Writes the metrics after every epoch, and checkpoints.

    To stand behind all monitors, so that what they add is in the record.

    Args:
        folder: RunFolder.
        initial_epoch: int, epochs that an interrupted run has had.
        checkpoint_every: int, epochs from one checkpoint to the next.
    """

    def __init__(self, folder, initial_epoch, checkpoint_every):
        super().__init__()
        self.folder = folder
        self.checkpoint_every = checkpoint_every
        records = folder.read("metrics.json") or []
        self.records = records[:initial_epoch]

    def on_train_begin(self, logs=None):
        if not self.records:
            self.folder.save_checkpoint(self.model, 0)

    def on_epoch_end(self, epoch, logs=None):
        rate = float(self.model.optimizer.learning_rate)
        record = {"epoch": epoch + 1, "learning_rate": rate}
        record.update({name: float(value) for name, value in logs.items()})
        self.records.append(record)
        done = epoch + 1
        last = done == self.params["epochs"]
        with INTERRUPTS.held():
            self.folder.write_metrics(self.records)
            if last or done % self.checkpoint_every == 0:
                self.folder.save_checkpoint(self.model, done)


class HeedInterrupts(keras.callbacks.Callback):
    """Ends training at an interrupt that got lost within a batch.

    Before the next one: for who asks at the end of each, Keras waits until
    the device is done with it.
    """

    def on_train_batch_begin(self, batch, logs=None):
        INTERRUPTS.heed()

    def on_epoch_end(self, epoch, logs=None):
        INTERRUPTS.heed()
