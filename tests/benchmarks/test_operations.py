import keras
import pytest

from benchmarks import operations
from keras_contrastive import encoders


def test_operations_of_a_convolution_by_hand():
    """Two views, three passes, two operations; 7 x 9 places, 3 x 3 x 2 x 5."""
    images = keras.Input((7, 9, 2))
    outputs = keras.layers.Conv2D(5, 3, padding="same")(images)
    counted = operations.of_an_image(keras.Model(images, outputs))
    assert counted == 2 * 3 * 2 * (7 * 9) * (3 * 3 * 2 * 5)


def test_resnet18_takes_what_the_field_reckons():
    """555 million multiplications a view of 32 x 32 pixels."""
    counted = operations.of_an_image(encoders.resnet18())
    assert counted == pytest.approx(6.67e9, rel=2e-3)
