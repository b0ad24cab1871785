"""What a run writes while it trains."""

import statistics
import time

import keras


class Stopwatch(keras.callbacks.Callback):
    """Times the epochs by themselves; to stand before all monitors.

    Args:
        images_per_epoch: int.
    """

    def __init__(self, images_per_epoch):
        super().__init__()
        self.images_per_epoch = images_per_epoch
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.perf_counter() - self._start)

    @property
    def images_per_second(self):
        """Median over the epochs; the first, which compiles, left out."""
        if not self.seconds:
            return None
        epochs = self.seconds[1:] or self.seconds
        return self.images_per_epoch / statistics.median(epochs)


class RunLog(keras.callbacks.Callback):
    """Writes the metrics and a checkpoint after every epoch.

    To stand behind all monitors, so that what they add is in the record.

    Args:
        folder: RunFolder.
        initial_epoch: int, epochs that an interrupted run has had.
    """

    def __init__(self, folder, initial_epoch):
        super().__init__()
        self.folder = folder
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
        self.folder.write_metrics(self.records)
        self.folder.save_checkpoint(self.model, epoch + 1)


class ViewsSheet(keras.callbacks.Callback):
    """Shows the views that training sees, in a file and in TensorBoard.

    Args:
        sheet: uint8 array `(H, W, 3)`.
        log_dir: TensorBoard's folder.
    """

    def __init__(self, sheet, log_dir):
        super().__init__()
        self.sheet = sheet
        self.log_dir = log_dir

    def on_train_begin(self, logs=None):
        import tensorflow as tf

        writer = tf.summary.create_file_writer(str(self.log_dir))
        with writer.as_default(step=0):
            tf.summary.image("views", self.sheet[None])
        writer.close()
