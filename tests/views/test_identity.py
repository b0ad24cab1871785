import numpy as np

from keras_contrastive.views import Identity
from keras_contrastive.views import Policy


def test_images_stay_as_they_are():
    images = np.random.default_rng(0).random((3, 5, 7, 3), "float32")
    policy = Policy([Identity()])
    np.testing.assert_array_equal(
        policy(images, seed=0, step=0, view=0), images
    )
    np.testing.assert_array_equal(Identity.apply(images), images)


def test_it_chooses_nothing():
    assert Identity().idle
    assert Identity.neutral() == Identity()
    assert Identity.sample(None, {}, (5, 7, 3)) == {}
