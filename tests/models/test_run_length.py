"""Batch renormalization opens over a quarter of the run, whatever it is."""

import keras
import numpy as np
import pytest

from keras_contrastive import layers
from keras_contrastive import models
from tests.models.checks import assert_same_weights
from tests.models.checks import images
from tests.models.checks import small_model


def trained(normalization, data=None, **options):
    model = small_model(models.SimCLR, normalization=normalization)
    options = {"batch_size": 4, "epochs": 3, **options}
    model.fit(images(16) if data is None else data, verbose=0, **options)
    return model, model.encoder.get_layer("normalization_1")


@pytest.mark.parametrize(
    ("options", "ramp"),
    [
        ({}, 3),
        ({"epochs": 6}, 6),
        ({"epochs": 4, "steps_per_epoch": 2}, 2),
        # A run that is resumed is as long as it was to be.
        ({"epochs": 6, "initial_epoch": 5}, 6),
    ],
)
def test_the_ramp_is_a_quarter_of_the_run(options, ramp):
    assert int(trained("batch_renorm", **options)[1].ramp) == ramp


def test_a_run_ends_with_the_clipping_open_and_saves_it(tmp_path):
    model, layer = trained("batch_renorm")
    assert int(layer.step) == 12
    np.testing.assert_allclose(layer.clipping(), (3.0, 5.0))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert int(loaded.encoder.get_layer("normalization_1").ramp) == 3


def test_a_ramp_that_is_given_stays():
    _, layer = trained(layers.BatchRenormalization(ramp_steps=24))
    # Step 12 is half of the ramp, whose first eighth is flat.
    np.testing.assert_allclose(
        layer.clipping(), (1 + 2 * 3 / 7, 5 * 3 / 4), rtol=1e-6
    )


def test_a_run_that_is_resumed_goes_on_as_if_never_interrupted(tmp_path):
    options = {"batch_size": 4, "epochs": 6, "verbose": 0}
    whole, _ = trained("batch_renorm", epochs=6)

    class Interrupt(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    part, _ = trained("batch_renorm", epochs=6, callbacks=[Interrupt()])
    part.save(tmp_path / "model.keras")
    resumed = keras.saving.load_model(tmp_path / "model.keras")
    resumed.fit(images(16), initial_epoch=2, **options)
    assert_same_weights(whole, resumed, rtol=1e-5, atol=1e-6)


def test_training_that_goes_on_stays_open():
    model, layer = trained("batch_renorm")
    model.fit(images(16), batch_size=4, epochs=2, steps_per_epoch=4, verbose=0)
    assert int(layer.ramp) == 3
    fine = models.Classifier(model, 2, fine_tune=True)
    fine.compile(optimizer="sgd", run_eagerly=True)
    labels = np.arange(16) % 2
    fine.fit(images(16), labels, batch_size=8, verbose=0)
    copied = fine.encoder.get_layer("normalization_1")
    assert int(copied.ramp) == 3
    np.testing.assert_allclose(copied.clipping(), (3.0, 5.0))


@pytest.mark.parametrize("eman", [False, True])
def test_keys_are_renormalized_as_queries_are(eman):
    model = small_model(
        models.MoCo, normalization="batch_renorm", queue_size=8, eman=eman
    )
    model.fit(images(16), batch_size=4, epochs=3, verbose=0)
    ours, theirs = (
        each.get_layer("normalization_1")
        for each in (model.encoder, model.key_encoder)
    )
    assert int(ours.ramp) == int(theirs.ramp) == 3
    assert int(ours.step) == 12
    # By EMAN keys are normalized as in inference, after each update.
    assert int(theirs.step) == (12 if not eman else 11)


def test_without_a_number_of_steps_the_ramp_is_the_papers():
    batches = ((images(4, seed=step),) for step in range(3))
    with pytest.warns(UserWarning, match="40,000 steps .* `steps_per_epoch`"):
        _, layer = trained("batch_renorm", batches, batch_size=None, epochs=1)
    assert (int(layer.step), int(layer.ramp)) == (3, 40_000)
