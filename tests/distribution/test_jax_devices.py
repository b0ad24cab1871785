"""Several devices of JAX train as one, every method."""

import importlib.util
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from tests.differences import difference
from tests.distribution.five_steps import check_same
from tests.distribution.train_on_jax_devices import ALL
from tests.distribution.train_on_jax_devices import ON_TWO
from tests.distribution.train_on_jax_devices import WHOLE
from tests.quick_compilation import environment

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("jax") is None,
    reason="JAX's devices were not tried: JAX is not installed",
)

ROOT = pathlib.Path(__file__).parents[2]
SCRIPT = [
    *(sys.executable, "-m", "tests.without_tensorflow"),
    "tests.distribution.train_on_jax_devices",
]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What came of training, by the number of devices."""
    folder = tmp_path_factory.mktemp("devices")
    process = subprocess.run(
        [*SCRIPT, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=environment(KERAS_BACKEND="jax", JAX_PLATFORMS="cpu"),
    )
    assert process.returncode == 0, process.stderr[-3000:]
    return {path.stem: dict(np.load(path)) for path in folder.glob("*.npz")}


@pytest.mark.parametrize(
    ("name", "devices"),
    [*((name, "4") for name in ALL), *((name, "2") for name in ON_TWO)],
)
def test_devices_train_as_one(found, name, devices):
    one, several = found["1"], found[devices]
    # What only one of them looked at, does not count.
    keys = {key: each for key, each in one.items() if key in several}
    check_same(keys, several, name)


@pytest.mark.parametrize("name", ALL)
def test_a_model_is_on_its_devices(found, name):
    assert set(found["4"][f"{name}/devices"]) == {4}
    assert set(found["1"][f"{name}/devices"]) == {1}


@pytest.mark.parametrize("devices", ["1", "4"])
@pytest.mark.parametrize("name", ALL)
def test_a_saved_model_gives_the_features_on_one_device(found, name, devices):
    features = found[devices][f"{name}/features"]
    loaded = found[devices][f"{name}/loaded"]
    assert np.abs(features).max() > 1e-3
    assert difference(features, loaded) < 1e-5


@pytest.mark.parametrize("name", WHOLE)
def test_sizes_that_devices_do_not_divide(found, name):
    predicted = found["4"][f"{name}/predicted"]
    assert len(predicted) == 37
    for what in ("predicted", "evaluated"):
        one, four = (found[each][f"{name}/{what}"] for each in "14")
        assert difference(one, four) < 1e-4, what


def test_steps_of_one_execution(found):
    one, four = found["1"], found["4"]
    keys = [key for key in one if key.startswith("in_one_execution/")]
    assert len(keys) > 5
    for key in keys:
        assert difference(one[key], four[key]) < 1e-4, key


@pytest.mark.parametrize(
    ("slip", "sentence"),
    [
        ("batch", "divisible by their number, 4; received 6, choose 4 or 8."),
        ("evaluate", "received 6, choose 4 or 8."),
        ("placed", "`data_on_device` must be False or None on several"),
        ("candidates", "`candidates` must be 'global' on JAX"),
        ("optimizer", "were made outside of the strategy's scope"),
        ("model", "was made outside of the scope of the keras.distribution"),
        ("predict", "was made outside of the scope of the keras.distribution"),
        ("sharded", "only DataParallel trains these models"),
        ("name", "'mirrored' needs the backend tensorflow, received jax"),
        ("device", "must be of this machine's cpu:0, cpu:1, cpu:2, cpu:3"),
        ("twice", "`devices` names one twice"),
        ("late", "must be called before JAX computes anything"),
    ],
)
def test_slips_are_refused(found, slip, sentence):
    assert sentence in str(found["4"][f"refused/{slip}"])
