import keras
import numpy as np
import pytest

from keras_contrastive import views

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), "uint8")
PLACE = {"seed": 0, "step": 0}


def test_each_view_has_its_policy():
    one, other = views.policy("weak"), views.policies(["simclr", "identity"])
    ids = np.array([0, 1, 1, 0], "int32")
    both = views.PolicyPerView([one, other])
    np.testing.assert_array_equal(
        both(IMAGES, view=0, policy_ids=ids, **PLACE),
        one(IMAGES, view=0, **PLACE),
    )
    positions = np.arange(10, 14, dtype="int32")
    np.testing.assert_array_equal(
        both(IMAGES, view=1, policy_ids=ids, positions=positions, **PLACE),
        other(IMAGES, view=1, policy_ids=ids, positions=positions, **PLACE),
    )


@pytest.mark.parametrize("view", [-1, 2])
def test_a_view_without_policy_is_refused(view):
    both = views.PolicyPerView([views.policy("weak"), views.policy("simclr")])
    with pytest.raises(ValueError, match=f"from 0 to 1, .* received {view}"):
        both(IMAGES, view=view, **PLACE)


def test_no_policies_are_refused():
    with pytest.raises(ValueError, match="received none"):
        views.PolicyPerView([])


def test_config_round_trip():
    both = views.PolicyPerView([views.policy("weak"), views.policy("simclr")])
    config = keras.saving.serialize_keras_object(both)
    assert keras.saving.deserialize_keras_object(config) == both
