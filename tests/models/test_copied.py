import keras
import numpy as np

from keras_contrastive.models.copied import copied
from tests.models.checks import encoder
from tests.models.checks import images
from tests.models.checks import weights_of


def test_a_copy_has_weights_of_its_own():
    model = encoder()
    model(images() / 255.0, training=True)
    before, copy = weights_of(model), copied(model)
    for one, other in zip(before, weights_of(copy), strict=True):
        np.testing.assert_array_equal(one, other)
    for variable in copy.variables:
        variable.assign(variable + 1.0)
    for one, other in zip(before, weights_of(model), strict=True):
        np.testing.assert_array_equal(one, other)


def test_preprocessing_that_was_adapted_is_copied_too():
    adapted = keras.layers.Normalization()
    adapted.adapt(images() / 255.0)
    pixels = keras.Input((8, 8, 3))
    inner = keras.Sequential([keras.Input((8, 8, 3)), adapted])
    x = keras.layers.GlobalAveragePooling2D()(inner(pixels))
    model = keras.Model(pixels, x)
    values = images(4, seed=1) / 255.0
    expected = model.predict(values, verbose=0)
    found = copied(model).predict(values, verbose=0)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
