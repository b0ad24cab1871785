"""The heads that `--projector` names."""

import types

import keras
import pytest

from experiments import build_model
from keras_contrastive import encoders

HEADS = {
    "linear": ["Dense"],
    "normalized_linear": ["Dense", "BatchNormalization"],
    "mlp": ["Dense", "BatchNormalization", "ReLU", "Dense"],
    "plain_mlp": ["Dense", "ReLU", "Dense"],
    "normalized_mlp": [
        "Dense",
        "BatchNormalization",
        "ReLU",
        "Dense",
        "BatchNormalization",
    ],
}


@pytest.mark.parametrize("name", HEADS)
def test_heads_are_what_their_names_say(name):
    values = types.SimpleNamespace(projector=name)
    encoder = encoders.two_conv(channels=(4, 8))
    head = build_model._projector(values, encoder, "batch")
    layers = [
        each
        for each in head.layers
        if not isinstance(each, keras.layers.InputLayer)
    ]
    assert [type(each).__name__ for each in layers] == HEADS[name]
    assert layers[0].use_bias == (name == "plain_mlp")
    assert head.output_shape == (None, build_model.PROJECTION_DIM)


def test_there_may_be_no_head():
    values = types.SimpleNamespace(projector="none")
    assert build_model._projector(values, encoders.two_conv(), "batch") is None
