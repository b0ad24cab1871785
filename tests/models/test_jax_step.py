"""SimCLR on JAX, where TensorFlow cannot be imported."""

import importlib.util
import os
import pathlib
import subprocess
import sys

import pytest

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
ids = np.arange(len(digits.train.images), dtype="int32") % 4
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
model.compile(optimizer=keras.optimizers.Adam(5e-3))
batches = data.batches(digits.train.images, 71, split_ids=ids)
assert len(batches) == 20
before, _ = model.evaluate(digits.test.images, verbose=0)
model.fit(batches, epochs=1, verbose=0)
assert int(model.step) == 20
first = model.evaluate(digits.test.images, verbose=0)
again = model.evaluate(digits.test.images, verbose=0)
assert first == again
features = model.predict(digits.train.images, verbose=0)
accuracy = evaluation.knn_accuracy(
    features,
    digits.train.labels,
    model.predict(digits.test.images, verbose=0),
    digits.test.labels,
)
model.save(sys.argv[1])
loaded = keras.saving.load_model(sys.argv[1])
np.testing.assert_allclose(
    loaded.predict(digits.train.images, verbose=0), features, rtol=1e-5
)
assert "tensorflow" not in sys.modules
print(before, first[0], accuracy)
"""


@pytest.mark.skipif(
    importlib.util.find_spec("jax") is None,
    reason="JAX is not installed; pip install jax",
)
def test_twenty_steps_on_digits(tmp_path):
    process = subprocess.run(
        [sys.executable, "-c", TWENTY_STEPS, str(tmp_path / "m.keras")],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    before, after, accuracy = map(float, process.stdout.split())
    assert after < before - 0.1
    assert accuracy > 0.5
