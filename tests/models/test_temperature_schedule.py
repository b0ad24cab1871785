import numpy as np
import pytest

from keras_contrastive import models
from keras_contrastive import optimizers
from tests.models.checks import assert_same_weights
from tests.models.checks import check_round_trip
from tests.models.checks import images
from tests.models.checks import small_model

# Tests train on fewer images than any queue is meant for.
pytestmark = pytest.mark.filterwarnings("ignore:The queue holds")

ADVERSARY = {"adversary": models.Adversary(0.05)}
METHODS = {
    "simclr": (models.SimCLR, {}),
    "adversarial_simclr": (models.SimCLR, ADVERSARY),
    "moco": (models.MoCo, {"queue_size": 24}),
    "adversarial_moco": (models.MoCo, {"queue_size": 24, **ADVERSARY}),
    "moco_v3": (models.MoCoV3, {}),
    "supcon": (models.SupCon, {}),
}
LABELS = np.arange(12, dtype="int32") % 3
# At steps 0, 1 and 2: 0.5, 0.3, 0.1.
SCHEDULE = optimizers.CosineSchedule(0.5, steps=2, final=0.1)


def fit(model, epochs):
    history = model.fit(images(12), LABELS, epochs=epochs, verbose=0).history
    return history["loss"]


def method(name, temperature, **kwargs):
    kind, options = METHODS[name]
    return small_model(kind, temperature=temperature, **options, **kwargs)


@pytest.mark.parametrize("name", METHODS)
def test_each_step_has_its_temperature(name):
    scheduled, by_hand = method(name, SCHEDULE), method(name, 0.5)
    found, expected = fit(scheduled, 3), []
    for step, temperature in enumerate((0.5, 0.3, 0.1)):
        by_hand.temperature = temperature
        history = by_hand.fit(
            images(12), LABELS, initial_epoch=step, epochs=step + 1, verbose=0
        )
        expected += history.history["loss"]
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    assert_same_weights(scheduled, by_hand, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", ["simclr", "moco", "moco_v3", "supcon"])
def test_it_is_saved_and_loaded(name, tmp_path):
    model = method(name, SCHEDULE)
    fit(model, 1)
    path = tmp_path / "model.keras"
    loaded = check_round_trip(model, path, images(12), y=LABELS)
    assert loaded.temperature.get_config() == SCHEDULE.get_config()


def test_a_graph_has_the_step_in_it():
    graph, eager = (method("simclr", SCHEDULE, eager=e) for e in (False, True))
    np.testing.assert_allclose(fit(graph, 3), fit(eager, 3), rtol=1e-3)


@pytest.mark.parametrize("name", METHODS)
def test_a_schedule_that_begins_at_zero_is_refused(name):
    warmup = optimizers.CosineSchedule(0.5, steps=10, warmup=2, final=0.1)
    with pytest.raises(ValueError, match="`temperature`.*0.0.*begins"):
        method(name, warmup)
