import keras
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
