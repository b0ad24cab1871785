import numpy as np

from keras_contrastive.views import hash
from keras_contrastive.views.draws import Draws

PLACE = {
    "seed": 1,
    "step": 2,
    "positions": np.arange(5, dtype="int32"),
    "view": 3,
    "stream": 4,
}


def test_numbers_for_images_are_the_first_draws():
    numbers = Draws(**PLACE).per_image(6)
    np.testing.assert_array_equal(numbers, hash.uniform(6, **PLACE))


def test_numbers_for_values_are_others():
    draws = Draws(**PLACE)
    numbers = np.asarray(draws.per_value((2, 4, 3)))
    assert numbers.shape == (5, 2, 4, 3)
    np.testing.assert_array_equal(
        numbers.reshape(5, 24), hash.uniform(24, first=2**16, **PLACE)
    )
    assert not np.isin(numbers, draws.per_image(24)).any()
