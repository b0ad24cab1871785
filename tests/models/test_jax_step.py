"""Training on JAX: SimCLR where TensorFlow cannot be imported, and attacks."""

import importlib.util
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive import data
from keras_contrastive import models
from tests.models.checks import assert_same_weights
from tests.models.checks import images
from tests.models.checks import small_model
from tests.quick_compilation import environment

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
from keras_contrastive import data, encoders, evaluation, export, layers, models

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
# Larger steps let the last bit grow into the second digit within twenty.
model.compile(optimizer=keras.optimizers.SGD(0.02, momentum=0.9))
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
# The exported encoder has arrays of its own: to use it leaves the model whole.
exported = export.encoder(model).predict(digits.train.images, verbose=0)
np.testing.assert_allclose(exported, features, rtol=1e-3, atol=1e-4)
model.save("end.keras")
loaded = keras.saving.load_model("end.keras")
np.testing.assert_allclose(
    loaded.predict(digits.train.images, verbose=0), features, rtol=1e-5
)
assert "tensorflow" not in sys.modules
"""


ADVERSARIAL_STEPS = """
import keras
import numpy as np
from keras_contrastive import models

assert keras.backend.backend() == "jax"
model = keras.saving.load_model("start.keras")
model.compile(optimizer=keras.optimizers.SGD(0.1))
model.fit(np.load("images.npy"), batch_size=12, epochs=2, verbose=0)
model.save("end.keras")
"""

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("jax") is None,
        reason="JAX is not installed; pip install jax",
    ),
    # Tests train on fewer images than any queue is meant for.
    pytest.mark.filterwarnings("ignore:The queue holds"),
]


def run_on_jax(code, folder):
    process = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(KERAS_BACKEND="jax", PYTHONPATH=str(ROOT)),
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr


def test_twenty_steps_on_digits_are_those_of_tensorflow(tmp_path):
    run_on_jax(TWENTY_STEPS, tmp_path)
    model = keras.saving.load_model(tmp_path / "start.keras")
    expected = keras.saving.load_model(tmp_path / "end.keras")
    pixels = data.load("digits").train.images
    ids = np.arange(len(pixels), dtype="int32") % 4
    moved = [ops.convert_to_numpy(each) for each in model.trainable_variables]
    model.fit(data.batches(pixels, 71, split_ids=ids), verbose=0)
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


def test_adversarial_steps_are_those_of_tensorflow(tmp_path):
    adversary = models.Adversary(0.05, share=0.5, random_start=True)
    model = small_model(models.MoCo, adversary=adversary, queue_size=12)
    model.compile(optimizer=keras.optimizers.SGD(0.1), run_eagerly=True)
    model.save(tmp_path / "start.keras")
    np.save(tmp_path / "images.npy", images(12))
    run_on_jax(ADVERSARIAL_STEPS, tmp_path)
    expected = keras.saving.load_model(tmp_path / "end.keras")
    model.fit(images(12), batch_size=12, epochs=2, verbose=0)
    assert int(model.step) == int(expected.step) == 2
    # A pixel whose gradient is nearly none may have another sign.
    assert_same_weights(model, expected, rtol=1e-2, atol=1e-3)
