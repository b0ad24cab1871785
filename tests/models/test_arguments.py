import keras
import numpy as np
import pytest

from keras_contrastive import layers
from keras_contrastive import models
from tests.small_methods import encoder
from tests.small_methods import splits


def normalization_of(head):
    (layer,) = [
        each
        for each in head.layers
        if isinstance(each, keras.layers.BatchNormalization)
    ]
    return layer


@pytest.mark.parametrize(
    ("normalization", "expected"),
    [
        ("batch", False),
        ("synchronized", True),
        ("group", False),
        (None, False),
        (splits(2), False),
        (splits(2, synchronized=True), True),
        (layers.SplitBatchNormalization(2, "ids"), True),
    ],
)
def test_heads_by_name_see_the_replicas_that_their_encoder_sees(
    normalization, expected
):
    model = models.MoCoV3(encoder(normalization=normalization))
    for head in (model.projector, model.predictor):
        assert normalization_of(head).synchronized is expected


@pytest.mark.parametrize("adversary", [None, models.Adversary(0.03)])
def test_a_projector_of_another_width_is_refused(adversary):
    head = layers.projection_head("mlp", 5)
    with pytest.raises(ValueError, match="`projector` must take the 6 numbers"):
        models.SimCLR(encoder(), projector=head, adversary=adversary)


def test_a_projector_of_any_width_is_left_to_keras():
    head = keras.Sequential([keras.layers.Dense(5)])
    model = models.SimCLR(encoder(), projector=head)
    assert model.project(np.ones((2, 6), "float32")).shape == (2, 5)
