import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive import data
from keras_contrastive import distribution
from keras_contrastive import models
from keras_contrastive.models.backend_step import backend_step
from tests.models.checks import assert_same_weights
from tests.models.checks import images
from tests.models.checks import small_model

LABELS = np.arange(24) % 3


def fitted(pixels, epochs=2, model=None, **kwargs):
    """A model after some epochs, and its history."""
    model = model or small_model(models.SimCLR)
    history = model.fit(
        pixels, batch_size=8, epochs=epochs, verbose=0, **kwargs
    )
    return model, history.history


def column_of(model, name="images"):
    """What is on the device, as an array."""
    return ops.convert_to_numpy(model.columns_on_device[name])


@pytest.mark.parametrize("kind", ["uint8", "float64"])
def test_images_on_the_device_train_as_batches_do(kind):
    pixels = images() if kind == "uint8" else images() / 255
    sent, expected = fitted(pixels)
    placed, found = fitted(pixels, data_on_device=True)
    assert sent.columns_on_device is None
    column = column_of(placed)
    assert column.dtype == ("uint8" if kind == "uint8" else "float32")
    np.testing.assert_array_equal(column, pixels.astype(column.dtype))
    assert found == expected
    assert_same_weights(placed, sent)


def test_all_that_travels_with_images_is_there():
    model = small_model(models.Siamese)
    pairs = {
        "images": images(),
        "other_images": images(seed=1),
        "same": np.arange(24) % 2,
    }
    _, expected = fitted(pairs, model=small_model(models.Siamese))
    model, found = fitted(pairs, model=model, data_on_device=True)
    assert model.columns_on_device.keys() == pairs.keys()
    assert found == expected


def test_rows_of_a_part_of_the_images():
    chosen = np.array([1, 3, 5, 7, 11, 13, 17, 19, 23])
    losses = [
        small_model(models.SimCLR)
        .fit(
            data.batches(images(), 4, indices=chosen),
            data_on_device=placed,
            verbose=0,
        )
        .history
        for placed in (False, True)
    ]
    assert losses[0] == losses[1]


def test_several_steps_a_call_are_the_same_steps():
    one, expected = fitted(images(40), epochs=1)
    model = small_model(models.SimCLR)
    model.compile(
        optimizer=keras.optimizers.SGD(0.1, momentum=0.9),
        steps_per_execution=2,
    )
    several, found = fitted(
        images(40), epochs=1, model=model, data_on_device=True
    )
    np.testing.assert_allclose(found["loss"], expected["loss"], rtol=1e-5)
    assert_same_weights(several, one, rtol=1e-4, atol=1e-6)


def test_what_is_there_is_sent_once():
    model, _ = fitted(images(), epochs=1, y=LABELS, data_on_device=True)
    placed, function = model.columns_on_device, model.train_function
    # The same in other arrays, of another type: nothing to send or compile.
    again, labels = images().copy(), LABELS.astype("int64")
    fitted(again, 1, model, y=labels, data_on_device=True)
    assert model.columns_on_device is placed
    assert model.train_function is function


@pytest.mark.parametrize("in_place", [False, True])
def test_other_images_take_the_place_of_those_before(in_place):
    first, second = images(), images(seed=1)
    model, _ = fitted(first, data_on_device=True)
    given = second
    if in_place:
        given = first
        given[:] = second
    model.fit(given, batch_size=8, verbose=0, data_on_device=True)
    np.testing.assert_array_equal(column_of(model), second)
    # Compiled steps must not go on with what was there before.
    other, _ = fitted(images())
    other.fit(second, batch_size=8, verbose=0)
    assert_same_weights(model, other)


def test_compiled_steps_see_the_images_of_their_fit():
    def trained(**kwargs):
        model = small_model(models.SimCLR, eager=False)
        losses = []
        for seed in (0, 1):
            fit = model.fit(
                images(seed=seed), batch_size=8, verbose=0, **kwargs
            )
            losses += fit.history["loss"]
        return losses

    sent = trained(data_on_device=False)
    assert sent[0] != sent[1]
    np.testing.assert_allclose(trained(data_on_device=True), sent, rtol=1e-5)


def test_nothing_is_sent_where_there_is_no_accelerator():
    if backend_step().has_accelerator():
        pytest.skip("there is an accelerator")
    model, _ = fitted(images(), epochs=1)
    assert model.columns_on_device is None


def test_small_arrays_are_sent_to_an_accelerator(monkeypatch):
    monkeypatch.setattr(backend_step(), "has_accelerator", lambda: True)
    model, _ = fitted(images(), epochs=1)
    assert model.columns_on_device is not None
    monkeypatch.setattr("keras_contrastive.models.on_device.LARGEST_GIB", 1e-9)
    model, _ = fitted(images(), epochs=1)
    assert model.columns_on_device is None


def test_data_of_other_kinds_are_refused():
    batch = {"images": ops.convert_to_tensor(images(8))}
    with pytest.raises(ValueError, match="data_on_device"):
        small_model(models.SimCLR).fit(iter([batch]), data_on_device=True)


class Lazy:
    """Images that are read when they are asked for."""

    def __len__(self):
        return 24

    def __getitem__(self, rows):
        return images()[rows]


def test_images_that_are_no_array_stay_where_they_are(monkeypatch):
    monkeypatch.setattr(backend_step(), "has_accelerator", lambda: True)
    model = small_model(models.SimCLR)
    model.fit(data.batches(Lazy(), 8), verbose=0)
    assert model.columns_on_device is None
    with pytest.raises(ValueError, match="another kind"):
        model.fit(data.batches(Lazy(), 8), verbose=0, data_on_device=True)


class Noted(data.Batches):
    """Batches that hold more than rows of what they are made of."""

    def __getitem__(self, index):
        return {**super().__getitem__(index), "labels": np.zeros(8, "int32")}


def test_batches_composed_by_themselves_are_sent(monkeypatch):
    monkeypatch.setattr(backend_step(), "has_accelerator", lambda: True)
    batches = Noted(images(), {}, lambda epoch: np.arange(24), 8)
    model = small_model(models.SupCon)
    model.fit(batches, verbose=0)
    assert model.columns_on_device is None
    with pytest.raises(ValueError, match="another kind"):
        model.fit(batches, verbose=0, data_on_device=True)


def test_batches_that_a_strategy_deals_out_are_not_on_the_device(monkeypatch):
    monkeypatch.setattr(backend_step(), "has_accelerator", lambda: True)
    with distribution.strategy("one_device", ["CPU:0"]).scope():
        model = small_model(models.SimCLR)
    model.fit(images(), batch_size=8, verbose=0)
    assert model.columns_on_device is None
    with pytest.raises(ValueError, match="batches are dealt out"):
        model.fit(images(), batch_size=8, verbose=0, data_on_device=True)
