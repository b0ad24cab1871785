"""TensorBoard's files, on any backend: an epoch's figures, and the views.

Keras's own callback writes through TensorFlow. The tensorboard package does
without, so that a log is the same wherever a run was trained.
"""

import io
import os
import socket
import time

import keras


class TensorBoardLog(keras.callbacks.Callback):
    """Writes the figures of every epoch, and once the views, for TensorBoard.

    To stand behind all monitors, so that what they add is in the log. What
    goes on from a checkpoint writes another file, as TensorBoard expects.

    Args:
        folder: pathlib.Path, TensorBoard's folder; made if there is none.
        sheet: uint8 array `(H, W, 3)`, what to show as the views.

    Raises:
        ImportError: where tensorboard cannot be imported.
    """

    def __init__(self, folder, sheet):
        super().__init__()
        from tensorboard.compat.proto import event_pb2
        from tensorboard.compat.proto import summary_pb2
        from tensorboard.summary.writer import record_writer

        self.folder = folder
        self.sheet = sheet
        self._event = event_pb2.Event
        self._image = summary_pb2.Summary.Image
        self._records = record_writer.RecordWriter
        self._writer = None

    def on_train_begin(self, logs=None):
        self.folder.mkdir(parents=True, exist_ok=True)
        # What TensorBoard knows its files by; the time puts them in order.
        name = f"{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}"
        path = self.folder / f"events.out.tfevents.{name}"
        self._writer = self._records(open(path, "ab"))
        self._write(self._event(file_version="brain.Event:2"))
        event = self._event(step=0)
        image = _as_png(self._image, self.sheet)
        event.summary.value.add(tag="views", image=image)
        self._write(event)

    def on_epoch_end(self, epoch, logs=None):
        event = self._event(step=epoch)
        rate = self.model.optimizer.learning_rate
        figures = {**logs, "learning_rate": rate}
        for name, value in figures.items():
            event.summary.value.add(tag=name, simple_value=float(value))
        self._write(event)

    def on_train_end(self, logs=None):
        self._writer.close()

    def _write(self, event):
        event.wall_time = time.time()
        self._writer.write(event.SerializeToString())
        # For who watches, and for what is interrupted.
        self._writer.flush()


def _as_png(image_message, pixels):
    from PIL import Image

    height, width, channels = pixels.shape
    encoded = io.BytesIO()
    picture = pixels[..., 0] if channels == 1 else pixels
    Image.fromarray(picture).save(encoded, "PNG")
    return image_message(
        height=height,
        width=width,
        colorspace=channels,
        encoded_image_string=encoded.getvalue(),
    )
