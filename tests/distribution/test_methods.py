"""N replicas train as one: every method, its figures and its weights."""

import pathlib
import subprocess
import sys

import numpy as np
import pytest

from keras_contrastive import data
from tests.differences import difference
from tests.distribution.five_steps import check_same
from tests.distribution.losses_on_replicas import LOSSES
from tests.distribution.train_on_replicas import HALVES
from tests.distribution.train_on_replicas import WHOLE
from tests.quick_compilation import environment
from tests.small_methods import BATCH_SIZE
from tests.small_methods import IMAGES
from tests.small_methods import METHODS

ROOT = pathlib.Path(__file__).parents[2]
SCRIPT = [sys.executable, "-m", "tests.distribution.train_on_replicas"]
LAUNCH = [sys.executable, "-m", "experiments.launch", "--workers=2", "--"]
SEVERAL = ("2", "4", "worker_0")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What came of training, by the number of replicas."""
    pytest.importorskip("tensorflow")
    folder = tmp_path_factory.mktemp("replicas")
    processes = [
        subprocess.Popen(
            [*command, str(folder), *numbers],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment(KERAS_BACKEND="tensorflow"),
        )
        for command, numbers in (
            (SCRIPT, "4"),
            (SCRIPT, "12"),
            ([*LAUNCH, *SCRIPT], ""),
        )
    ]
    for process in processes:
        output = process.communicate()[0]
        assert process.returncode == 0, output[-3000:]
    return {path.stem: dict(np.load(path)) for path in folder.glob("*.npz")}


@pytest.mark.parametrize("replicas", SEVERAL)
@pytest.mark.parametrize("method", METHODS)
def test_replicas_train_as_one(found, method, replicas):
    check_same(found["1"], found[replicas], method)


@pytest.mark.parametrize(
    ("name", "replicas"),
    [("two_splits", "2"), ("keras", "2"), ("four_splits", "4")],
)
def test_replicas_by_themselves_are_splits(found, name, replicas):
    check_same(found["1"], found[replicas], name)


@pytest.mark.parametrize("replicas", SEVERAL)
@pytest.mark.parametrize("loss", LOSSES)
def test_losses_and_their_gradients_are_those_of_one(found, loss, replicas):
    one, several = found["1"], found[replicas]
    keys = [key for key in one if key.startswith(f"loss_{loss}/")]
    assert len(keys) > 1
    for key in keys:
        assert difference(one[key], several[key]) < 1e-5, key
    assert max(np.abs(one[key]).max() for key in keys[1:]) > 1e-4


@pytest.mark.parametrize("replicas", ["1", *SEVERAL])
@pytest.mark.parametrize("method", METHODS)
def test_a_saved_model_gives_the_features_on_one_device(
    found, method, replicas
):
    features = found[replicas][f"{method}/features"]
    loaded = found[replicas][f"{method}/loaded"]
    assert difference(features, loaded) < 1e-5


@pytest.mark.parametrize("replicas", ["1", *SEVERAL])
@pytest.mark.parametrize("method", WHOLE)
def test_what_is_predicted_are_the_features(found, method, replicas):
    predicted = found[replicas][f"{method}/predicted"]
    assert len(predicted) == 37
    features = found[replicas][f"{method}/features"][:37]
    assert difference(features, predicted) < 1e-5


@pytest.mark.parametrize("replicas", ["2", "4"])
@pytest.mark.parametrize("method", METHODS)
def test_replicas_hold_the_same_bits(found, method, replicas):
    assert found[replicas][f"{method}/unequal"] == 0


def test_workers_hold_the_same_bits(found):
    ours, theirs = found["worker_0"], found["worker_1"]
    names = [key for key in ours if "/weight/" in key]
    assert len(names) > 10 * len(METHODS)
    for name in names:
        assert ours[name].tobytes() == theirs[name].tobytes(), name


@pytest.mark.parametrize("replicas", ["1", *SEVERAL])
@pytest.mark.parametrize("precision", HALVES)
def test_half_precision_trains(found, precision, replicas):
    losses = found[replicas][f"{precision}/losses"]
    assert np.isfinite(losses).all()
    assert losses[0] != losses[1]
    assert np.isfinite(found[replicas][f"{precision}/weights"]).all()


@pytest.mark.parametrize("replicas", SEVERAL)
def test_local_candidates_are_those_of_a_smaller_batch(found, replicas):
    expected = found["1"]["local_loss"]
    assert difference(expected, found[replicas]["local_loss"]) < 1e-5


def rows_of_two_epochs():
    numbers = np.arange(38)
    batches = data.batches(IMAGES[:38], BATCH_SIZE, labels=numbers)
    rows = []
    for epoch in (0, 1):
        batches.epoch = epoch
        rows += [batches[step]["labels"] for step in range(len(batches))]
    return np.stack(rows)


@pytest.mark.parametrize("replicas", ["2", "4"])
def test_every_image_goes_to_one_replica_in_order(found, replicas):
    rows = found[replicas]["rows"]
    assert rows.shape[1] == int(replicas)
    np.testing.assert_array_equal(
        rows.reshape(len(rows), -1), rows_of_two_epochs()
    )


def test_every_image_goes_to_one_worker_in_order(found):
    rows = [found[f"worker_{index}"]["rows"][:, 0] for index in (0, 1)]
    np.testing.assert_array_equal(
        np.concatenate(rows, axis=1), rows_of_two_epochs()
    )
