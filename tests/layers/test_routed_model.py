"""A model that routes by ids is called with them and without."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive.layers import RoutedModel
from keras_contrastive.layers import SplitBatchNormalization
from keras_contrastive.layers import call_routed
from keras_contrastive.layers import routes_by_ids
from keras_contrastive.layers import split_ids_input

INPUTS = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
IDS = np.array([1, 0, 0, 1], "int32")


@pytest.fixture(scope="module")
def model():
    features = keras.Input((3,), name="features")
    ids = split_ids_input()
    x = keras.layers.Dense(5, name="dense")(features)
    outputs = SplitBatchNormalization(2, "ids", split_statistics=True)(x, ids)
    model = RoutedModel([features, ids], outputs, name="routed")
    model([INPUTS, IDS], training=True)
    return model


@pytest.fixture(scope="module")
def expected(model):
    """Outputs without and with ids, by the layer itself."""
    x = model.get_layer("dense")(INPUTS)
    layer = model.layers[-1]
    without, routed = map(ops.convert_to_numpy, (layer(x), layer(x, IDS)))
    assert np.max(np.abs(without - routed)) > 0.01
    return without, routed


@pytest.mark.parametrize(
    ("inputs", "routed"),
    [
        (INPUTS, False),
        ([INPUTS], False),
        ([INPUTS, None], False),
        ({"features": INPUTS}, False),
        ({"features": INPUTS, "split_ids": None}, False),
        ([INPUTS, IDS], True),
        ((INPUTS, IDS), True),
        ({"features": INPUTS, "split_ids": IDS}, True),
    ],
)
def test_every_form_of_call(model, expected, inputs, routed):
    found = model(inputs)
    np.testing.assert_allclose(found, expected[routed], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("inputs", "routed"),
    [
        (INPUTS, False),
        ([INPUTS, IDS], True),
        ({"features": INPUTS, "split_ids": IDS}, True),
    ],
)
def test_predict_takes_the_same_forms(model, expected, inputs, routed):
    found = model.predict(inputs, verbose=0)
    np.testing.assert_allclose(found, expected[routed], rtol=1e-5, atol=1e-6)


def test_graphs_take_the_same_forms(tf, model, expected):
    graph = tf.function(
        lambda inputs, ids: (model(inputs), model([inputs, ids]))
    )
    for found, wanted in zip(graph(INPUTS, IDS), expected):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_it_trains_with_ids_and_refuses_to_without(model):
    copy = keras.models.clone_model(model)
    copy.compile(optimizer="sgd", loss="mse")
    before = copy.get_weights()
    copy.fit([INPUTS, IDS], np.zeros((4, 5)), batch_size=4, verbose=0)
    assert not np.allclose(copy.get_weights()[0], before[0])
    with pytest.raises(ValueError, match="`split_ids` is None"):
        copy.fit(INPUTS, np.zeros((4, 5)), batch_size=4, verbose=0)


def test_saved_and_cloned_models_route_too(model, expected, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    cloned = keras.models.clone_model(model)
    cloned.set_weights(model.get_weights())
    for each in (loaded, cloned):
        assert isinstance(each, RoutedModel)
        for inputs, wanted in zip((INPUTS, [INPUTS, IDS]), expected):
            np.testing.assert_allclose(
                each(inputs), wanted, rtol=1e-5, atol=1e-6
            )


def test_it_is_a_part_of_other_models(model, expected, tmp_path):
    features = keras.Input((3,), name="features")
    assert model(features).shape == (None, 5)
    plain = keras.Model(features, model(features))
    ids = split_ids_input()
    routed = RoutedModel([features, ids], model([features, ids]))
    for each, inputs, wanted in (
        (plain, INPUTS, expected[0]),
        (routed, INPUTS, expected[0]),
        (routed, [INPUTS, IDS], expected[1]),
    ):
        each.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        for found in (each(inputs), loaded(inputs)):
            np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_call_routed_gives_ids_to_those_that_want_them(model, expected):
    plain = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    assert routes_by_ids(model) and not routes_by_ids(plain)
    for ids, wanted in zip((None, IDS), expected):
        np.testing.assert_allclose(
            call_routed(model, INPUTS, ids), wanted, rtol=1e-5, atol=1e-6
        )
        np.testing.assert_array_equal(
            call_routed(plain, INPUTS, ids), plain(INPUTS)
        )


def test_call_routed_passes_training_on(model):
    copy = keras.models.clone_model(model)
    outputs = call_routed(copy, INPUTS, IDS, training=True)
    for split in (0, 1):
        mean = np.mean(outputs[IDS == split], axis=0)
        np.testing.assert_allclose(mean, np.zeros(5), atol=1e-5)


def test_a_subclassed_model_does_not_route():
    class Subclassed(keras.Model):
        def call(self, inputs):
            return inputs

    assert not routes_by_ids(Subclassed())


@pytest.mark.parametrize("ids", [[0, 1, 2, 0], [0, -1, 1, 0]])
def test_ids_of_no_split_are_refused(model, ids):
    for inputs in (
        [INPUTS, np.array(ids)],
        {"features": INPUTS, "split_ids": np.array(ids)},
    ):
        with pytest.raises(ValueError, match="`split_ids` must be from 0 to 1"):
            model(inputs, training=True)
