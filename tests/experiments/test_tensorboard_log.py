"""What TensorBoard finds in a run's log."""

import io
import sys

import keras
import numpy as np
import pytest

from experiments.tensorboard_log import TensorBoardLog


def log_two_epochs(folder, sheet):
    log = TensorBoardLog(folder, sheet)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.25))
    log.set_model(model)
    log.on_train_begin()
    log.on_epoch_end(0, {"loss": 1.5, "knn_accuracy": np.float32(0.75)})
    log.on_epoch_end(1, {"loss": 0.5})
    log.on_train_end()


def read(folder):
    """What TensorBoard makes of the files in a folder."""
    from tensorboard.backend.event_processing import event_accumulator

    events = event_accumulator.EventAccumulator(str(folder))
    events.Reload()
    figures = {
        tag: [(each.step, each.value) for each in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }
    return figures, events.Images("views")


@pytest.mark.parametrize("channels", [1, 3])
def test_tensorboard_reads_figures_and_views(tmp_path, channels):
    from PIL import Image

    generator = np.random.default_rng(0)
    sheet = generator.integers(0, 256, (6, 4, channels), "uint8")
    folder = tmp_path / "tensorboard"
    log_two_epochs(folder, sheet)
    figures, (view,) = read(folder)
    assert figures == {
        "loss": [(0, 1.5), (1, 0.5)],
        "knn_accuracy": [(0, 0.75)],
        "learning_rate": [(0, 0.25), (1, 0.25)],
    }
    assert (view.step, view.width, view.height) == (0, 4, 6)
    picture = np.asarray(Image.open(io.BytesIO(view.encoded_image_string)))
    np.testing.assert_array_equal(picture.reshape(sheet.shape), sheet)


def test_without_tensorboard_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard.summary.writer", None)
    with pytest.raises(ImportError, match="tensorboard"):
        log_two_epochs(tmp_path, np.zeros((6, 4, 3), "uint8"))
