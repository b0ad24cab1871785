"""SimCLR on JAX, where TensorFlow cannot be imported."""

import importlib.util
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive import data

ROOT = pathlib.Path(__file__).parents[2]

TWENTY_STEPS = """
import sys

class NoTensorFlow:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "tensorflow":
            raise ImportError("TensorFlow is not installed")

sys.meta_path.insert(0, NoTensorFlow())

import keras
import numpy as np
from keras_contrastive import data, encoders, evaluation, layers, models

assert keras.backend.backend() == "jax"
keras.utils.set_random_seed(0)
digits = data.load("digits")
model = models.SimCLR(
    encoders.two_conv(
        channels=(8, 16),
        normalization=layers.SplitBatchNormalization(
            4, "ids", split_statistics=True
        ),
    ),
    projector="linear",
    temperature=0.2,
)
model.compile(optimizer=keras.optimizers.SGD(0.1, momentum=0.9))
model.save("start.keras")
ids = np.arange(len(digits.train.images), dtype="int32") % 4
batches = data.batches(digits.train.images, 71, split_ids=ids)
assert len(batches) == 20
model.fit(batches, epochs=1, verbose=0)
assert int(model.step) == 20
first = model.evaluate(digits.test.images, verbose=0)
assert first == model.evaluate(digits.test.images, verbose=0)
features = model.predict(digits.train.images, verbose=0)
accuracy = evaluation.knn_accuracy(
    features,
    digits.train.labels,
    model.predict(digits.test.images, verbose=0),
    digits.test.labels,
)
assert accuracy > 0.5, accuracy
model.save("end.keras")
loaded = keras.saving.load_model("end.keras")
np.testing.assert_allclose(
    loaded.predict(digits.train.images, verbose=0), features, rtol=1e-5
)
assert "tensorflow" not in sys.modules
"""


@pytest.mark.skipif(
    importlib.util.find_spec("jax") is None,
    reason="JAX is not installed; pip install jax",
)
def test_twenty_steps_on_digits_are_those_of_tensorflow(tmp_path):
    process = subprocess.run(
        [sys.executable, "-c", TWENTY_STEPS],
        env={
            **os.environ,
            "KERAS_BACKEND": "jax",
            "PYTHONPATH": str(ROOT),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    model = keras.saving.load_model(tmp_path / "start.keras")
    expected = keras.saving.load_model(tmp_path / "end.keras")
    images = data.load("digits").train.images
    ids = np.arange(len(images), dtype="int32") % 4
    moved = [ops.convert_to_numpy(each) for each in model.trainable_variables]
    model.fit(data.batches(images, 71, split_ids=ids), verbose=0)
    assert int(model.step) == int(expected.step) == 20
    for start, ours, theirs in zip(
        moved,
        model.trainable_variables,
        expected.trainable_variables,
        strict=True,
    ):
        ours, theirs = map(ops.convert_to_numpy, (ours, theirs))
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)
        assert np.abs(ours - start).max() > 1e-3
