"""JAX and PyTorch train every method as TensorFlow does."""

import importlib.util
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

from tests import quick_compilation
from tests.backends.train_on_backend import ALL
from tests.backends.train_on_backend import HALVES
from tests.backends.train_on_backend import PLACED
from tests.backends.train_on_backend import POLICIES
from tests.differences import difference
from tests.distribution.losses_on_replicas import LOSSES
from tests.small_methods import IMAGES

ROOT = pathlib.Path(__file__).parents[2]
BACKENDS = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            importlib.util.find_spec(name) is None,
            reason=f"the {title} leg did not run: {title} is not installed",
        ),
    )
    for name, title in (("jax", "JAX"), ("torch", "PyTorch"))
]


def run(backend, folder):
    """Trains on a backend; returns what went wrong, if anything did."""
    script = ["tests.backends.train_on_backend", str(folder)]
    if backend != "tensorflow":
        script = ["tests.without_tensorflow", *script]
    process = subprocess.run(
        [sys.executable, "-m", *script],
        cwd=ROOT,
        env=quick_compilation.environment(
            quick_compilation.FLAGS, KERAS_BACKEND=backend
        ),
        capture_output=True,
        text=True,
    )
    return process.stderr[-3000:] if process.returncode else ""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A function that trains on a backend, once, and gives what came of it."""
    pytest.importorskip("tensorflow")
    folder = tmp_path_factory.mktemp("backends")
    said, found = {}, {}

    def train(backend):
        if backend not in said:
            said[backend] = run(backend, folder)
        assert not said[backend], said[backend]
        if backend not in found:
            found[backend] = dict(np.load(folder / f"{backend}.npz"))
        return found[backend]

    train("tensorflow")
    train.folder = folder
    return train


def same(ours, theirs, start, bound):
    """Whether all that begins so is the same, relative to the largest value."""
    keys = [key for key in theirs if key.startswith(start)]
    assert keys
    for key in keys:
        assert difference(theirs[key], ours[key]) < bound, key


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("source", ["digits", "folder"])
def test_sources_are_the_same(trained, backend, source):
    ours, theirs = trained(backend), trained("tensorflow")
    assert len(theirs[f"source/{source}"]) >= 20
    same(ours, theirs, f"source/{source}", 0.5 / 255)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("policy", POLICIES)
def test_views_are_the_same(trained, backend, policy):
    ours, theirs = trained(backend), trained("tensorflow")
    same(ours, theirs, f"views/{policy}", 1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("loss", LOSSES)
def test_losses_and_gradients_are_the_same(trained, backend, loss):
    ours, theirs = trained(backend), trained("tensorflow")
    assert np.abs(theirs[f"loss_{loss}/gradient"]).max() > 1e-4
    same(ours, theirs, f"loss_{loss}/", 1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ALL)
def test_five_steps_are_the_same(trained, backend, name):
    ours, theirs = trained(backend), trained("tensorflow")
    assert len(theirs[f"{name}/losses"]) == 5
    same(ours, theirs, f"{name}/losses", 1e-5)
    # Alignment and uniformity are differences of nearly equal numbers.
    same(ours, theirs, f"{name}/figure/", 1e-4)
    same(ours, theirs, f"{name}/weight/", 1e-4)
    same(ours, theirs, f"{name}/features", 1e-4)
    same(ours, theirs, f"{name}/evaluated", 1e-4)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ALL)
def test_files_are_read_by_all(trained, backend, name):
    ours, start = trained(backend), f"{name}/read/"
    read = [key.removeprefix(start) for key in ours if key.startswith(start)]
    assert "tensorflow" in read
    for other in read:
        features = trained(other)[f"{name}/features"]
        assert difference(features, ours[start + other]) < 1e-5, other
    path = trained.folder / f"{backend}_{name}.keras"
    found = np.asarray(keras.saving.load_model(path)(IMAGES))
    assert difference(ours[f"{name}/features"], found) < 1e-5


@pytest.mark.parametrize("backend", ["tensorflow", *BACKENDS])
@pytest.mark.parametrize("name", PLACED)
def test_images_on_the_device_train_alike(trained, backend, name):
    found = trained(backend)
    last = found[f"{name}/losses"][-1]
    assert difference(last, found[f"{name}_placed/losses"][0]) < 1e-5
    for key in found:
        if key.startswith(f"{name}/weight/"):
            placed = key.replace(name, f"{name}_placed", 1)
            assert difference(found[key], found[placed]) < 1e-4, key


@pytest.mark.parametrize("backend", ["tensorflow", *BACKENDS])
@pytest.mark.parametrize("precision", HALVES)
def test_half_precision_trains_and_what_lasts_is_float32(
    trained, backend, precision
):
    found = trained(backend)
    losses = found[f"{precision}/losses"]
    assert np.isfinite(losses).all() and losses[0] != losses[1]
    assert found[f"{precision}/kinds"].tolist() == ["float32"]
    features = found[f"{precision}/features"]
    assert np.isfinite(features).all() and features.std() > 0
