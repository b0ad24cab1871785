"""A compiled model's file says what was asked for, not what it came to."""

import json
import pathlib
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest

from keras_contrastive import models
from keras_contrastive import optimizers
from tests.models.checks import images
from tests.models.checks import small_model
from tests.models.checks import weights_of
from tests.quick_compilation import environment

ROOT = pathlib.Path(__file__).parents[2]


def saved(path, **options):
    model = small_model(models.SimCLR, eager=False)
    optimizer = optimizers.LARS(optimizers.CosineSchedule(0.1, 10))
    model.compile(optimizer=optimizer, **options)
    model.save(path)
    with zipfile.ZipFile(path) as file:
        config = json.loads(file.read("config.json"))
    return model, config["compile_config"]["jit_compile"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "auto"),
        ({"run_eagerly": True}, "auto"),
        ({"jit_compile": "auto"}, "auto"),
        ({"jit_compile": True}, True),
        ({"jit_compile": False}, False),
    ],
)
def test_what_was_asked_for_is_saved(tmp_path, options, expected):
    path = tmp_path / "model.keras"
    model, found = saved(path, **options)
    assert found == expected
    loaded = keras.saving.load_model(path)
    assert loaded.jit_compile == model.jit_compile
    assert loaded.run_eagerly == model.run_eagerly
    assert loaded.get_compile_config() == model.get_compile_config()


def test_what_is_not_compiled_says_nothing_of_it(tmp_path):
    model = small_model(models.SimCLR)
    plain = models.SimCLR(model.encoder)
    assert not plain.get_compile_config()
    plain.save(tmp_path / "model.keras")
    assert not keras.saving.load_model(tmp_path / "model.keras").compiled


def test_a_loaded_model_goes_on_with_its_optimizer(tmp_path):
    model = small_model(models.SimCLR)
    model.fit(images(), batch_size=8, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for wanted, found in zip(
        model.optimizer.variables, loaded.optimizer.variables, strict=True
    ):
        np.testing.assert_array_equal(*map(np.asarray, (found, wanted)))
    for each in (model, loaded):
        each.fit(images(), batch_size=8, epochs=2, initial_epoch=1, verbose=0)
    for wanted, found in zip(weights_of(model), weights_of(loaded)):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


# What it was compiled with is found, though nobody imports it.
ON_ANOTHER_BACKEND = """
import sys
import keras
import numpy as np
from keras_contrastive import models

model = keras.saving.load_model(sys.argv[1])
own = models.SimCLR(model.encoder)
own.compile("sgd")
assert model.jit_compile == own.jit_compile, model.jit_compile
images = np.zeros((4, 8, 8, 3), "uint8")
model.fit(images, batch_size=4, verbose=0)
"""


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_another_backend_trains_as_it_does_by_itself(tmp_path, backend):
    pytest.importorskip(backend)
    path = tmp_path / "model.keras"
    saved(path)
    subprocess.run(
        [sys.executable, "-c", ON_ANOTHER_BACKEND, path],
        cwd=ROOT,
        env=environment(KERAS_BACKEND=backend),
        check=True,
        timeout=100,
    )
