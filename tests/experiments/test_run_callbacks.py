import keras
import numpy as np
import pytest

from experiments.run_callbacks import RunLog
from experiments.run_folder import RunFolder


@pytest.mark.parametrize(
    ("every", "expected"),
    [(1, [0, 1, 2, 3, 4, 5]), (2, [0, 2, 4, 5]), (9, [0, 5])],
)
def test_checkpoints_come_as_often_as_asked(tmp_path, every, expected):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    folder, kept = RunFolder(tmp_path), []
    watch = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda *_: kept.append(folder.newest_checkpoint()),
        on_train_end=lambda _: kept.append(folder.newest_checkpoint()),
    )
    model.fit(
        np.ones((4, 2)), np.ones((4, 1)), epochs=5, verbose=0,
        callbacks=[RunLog(folder, 0, every), watch],
    )  # fmt: skip
    numbers = [int(path.name[11:15]) for path in kept]
    assert list(dict.fromkeys(numbers)) == expected
    assert len(folder.read("metrics.json")) == 5
