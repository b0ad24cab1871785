import numpy as np

from keras_contrastive.views import ColorJitter
from keras_contrastive.views import GaussianBlur
from keras_contrastive.views import Grayscale
from keras_contrastive.views import Identity
from keras_contrastive.views import Noise
from keras_contrastive.views import ResizedCrop
from keras_contrastive.views import stages


def kinds(*policies):
    return [stage.kind for stage in stages.combine(policies)]


def test_what_no_policy_uses_is_left_out():
    assert kinds([]) == [ResizedCrop]
    assert kinds([Identity(), Noise(probability=0.0)]) == [ResizedCrop]
    assert kinds([Grayscale()], [ColorJitter(probability=0.0)]) == [
        ResizedCrop,
        Grayscale,
    ]


def test_policies_of_one_order_share_their_stages():
    assert kinds(
        [ResizedCrop(), ColorJitter(), GaussianBlur()],
        [ColorJitter(), Grayscale(), GaussianBlur()],
        [Grayscale()],
    ) == [ResizedCrop, ColorJitter, Grayscale, GaussianBlur]


def test_policies_of_other_orders_keep_theirs():
    policies = [
        [ResizedCrop(), ColorJitter(probability=0.7), Grayscale(0.1)],
        [ResizedCrop(), Grayscale(0.2), ColorJitter(probability=0.9)],
    ]
    combined = stages.combine(policies)
    assert len(combined) == 4
    for index, policy in enumerate(policies):
        used = [
            (stage.kind, np.float32(stage.parameters["probability"][index]))
            for stage in combined
            if stage.parameters["probability"][index] > 0.0
        ]
        assert used == [(type(t), np.float32(t.probability)) for t in policy]


def test_parameters_are_arrays_over_the_policies():
    crop, grayscale = stages.combine(
        [[ResizedCrop(area=(0.2, 1.0))], [Grayscale(0.25)], []]
    )
    np.testing.assert_array_equal(
        grayscale.parameters["probability"], [0, 0.25, 0]
    )
    np.testing.assert_array_equal(crop.parameters["probability"], [1, 0, 0])
    np.testing.assert_array_equal(crop.parameters["flip"], [0.5, 0, 0])
    np.testing.assert_allclose(crop.parameters["area_low"][0], 0.2)
    assert crop.parameters["area_low"].dtype == "float32"
    assert not crop.idle and not grayscale.idle
    assert stages.combine([[], []])[0].idle
