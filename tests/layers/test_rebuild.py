"""A graph is built anew: other layers where wanted, the same weights."""

import keras
import numpy as np
import pytest

from keras_contrastive.layers.rebuild import as_functional
from keras_contrastive.layers.rebuild import input_like
from keras_contrastive.layers.rebuild import rebuild


def test_what_is_not_replaced_is_copied_with_its_weights():
    adapted = keras.layers.Normalization()
    adapted.adapt(np.arange(12.0).reshape(4, 3))
    features = keras.Input((3,), name="features")
    x = keras.layers.Dense(3, name="dense")(adapted(features))
    model = keras.Model(features, keras.layers.ReLU(name="relu")(x) + 1.0)

    inputs = [input_like(features)]
    outputs = rebuild(
        model,
        inputs,
        replace=lambda layer: (
            keras.layers.Identity() if layer.name == "relu" else None
        ),
        copy=lambda old, new: None,
        call=lambda old, new, *args, **kwargs: new(*args, **kwargs),
    )
    rebuilt = keras.Model(inputs[0], outputs)
    values = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    linear = model.get_layer("dense")(adapted(values))
    np.testing.assert_allclose(rebuilt(values), linear + 1.0, rtol=1e-6)
    assert rebuilt.get_layer("dense") is not model.get_layer("dense")


def test_replaced_layers_are_paired_with_their_originals():
    features = keras.Input((3,))
    layer = keras.layers.Dense(2, name="dense")
    model = keras.Model(features, layer(features))
    copied, called = [], []

    def call(old, new, *args, **kwargs):
        called.append((old, new))
        return new(*args, **kwargs)

    new = keras.layers.Dense(2, name="new")
    rebuild(
        model,
        [input_like(features)],
        replace=lambda old: new,
        copy=lambda *pair: copied.append(pair),
        call=call,
    )
    assert copied == called == [(layer, new)]


def test_input_like_has_shape_dtype_and_name():
    tensor = keras.Input((4, 3), dtype="uint8", name="images")
    found = input_like(tensor)
    assert found is not tensor
    assert (found.shape, found.dtype, found.name) == (
        (None, 4, 3),
        "uint8",
        "images",
    )


def test_only_graphs_can_be_rebuilt():
    class Subclassed(keras.Model):
        pass

    for model in (Subclassed(), keras.Sequential()):
        with pytest.raises(ValueError, match="functional model or a built"):
            as_functional(model)
    sequential = keras.Sequential([keras.Input((3,)), keras.layers.ReLU()])
    found = as_functional(sequential)
    assert not isinstance(found, keras.Sequential)
    assert found.layers[-1] is sequential.layers[-1]
