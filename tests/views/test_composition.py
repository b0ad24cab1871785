import json

import keras
import numpy as np
import pytest
from keras import ops
from sklearn.datasets import load_sample_image

from benchmarks import device
from keras_contrastive import views

PLACE = {"seed": 1, "step": 2, "view": 0}


def crops_of_photographs(count, size):
    """Photographs in uint8, cut out of two larger ones."""
    pictures = [load_sample_image(n) for n in ("china.jpg", "flower.jpg")]
    generator = np.random.default_rng(0)
    images = []
    for k in range(count):
        top, left = generator.integers(0, (427 - size, 640 - size))
        cut = pictures[k % 2][top : top + size, left : left + size]
        images.append(cut)
    return np.stack(images)


IMAGES = crops_of_photographs(16, 32)

EVERYTHING = [
    views.ResizedCrop(),
    views.ColorJitter(),
    views.Grayscale(),
    views.GaussianBlur(),
    views.Solarize(threshold=0.7),
    views.Noise(),
    views.Cutout(),
]


def make(policy, images=IMAGES, **changes):
    return ops.convert_to_numpy(policy(images, **{**PLACE, **changes}))


def test_views_have_their_size_and_range():
    for size, shape in ((None, (32, 32)), (20, (20, 20)), ((24, 40), (24, 40))):
        view = make(views.Policy(EVERYTHING, size=size))
        assert view.shape == (16, *shape, 3) and view.dtype == "float32"
        assert view.min() >= 0.0 and view.max() <= 1.0


def test_images_of_any_size_are_taken():
    photograph = load_sample_image("china.jpg")[None]
    policy = views.policy("identity", size=(50, 70))
    keras_resized = keras.ops.image.resize(
        photograph.astype("float32") / 255, (50, 70), antialias=True
    )
    np.testing.assert_allclose(
        make(policy, photograph), keras_resized, atol=1e-5
    )


def test_the_same_place_gives_the_same_view():
    policy = views.Policy(EVERYTHING)
    np.testing.assert_array_equal(make(policy), make(policy))
    integers = make(policy, step=ops.convert_to_tensor(2))
    np.testing.assert_array_equal(make(policy), integers)
    counted = make(policy, positions=np.arange(16, dtype="int32"))
    np.testing.assert_array_equal(make(policy), counted)


@pytest.mark.parametrize(
    "change",
    [{"seed": 2}, {"step": 3}, {"view": 1}, {"positions": np.arange(1, 17)}],
    ids=lambda change: next(iter(change)),
)
def test_another_place_gives_another_view_of_every_image(change):
    policy = views.Policy(EVERYTHING)
    same = np.isclose(make(policy), make(policy, **change), atol=1e-3)
    assert same.mean(axis=(1, 2, 3)).max() < 0.9


def test_images_are_changed_each_in_its_own_way():
    images = np.stack([IMAGES[0]] * 16)
    made = make(views.Policy(EVERYTHING), images).reshape(16, -1)
    assert len(np.unique(made.round(2), axis=0)) == 16


def test_integers_and_floats_make_the_same_views():
    policy = views.policy("simclr")
    np.testing.assert_allclose(
        make(policy), make(policy, IMAGES / 255), atol=1e-6
    )


TEN = [
    *(f"graded_{level}" for level in (0, 4, 9)),
    "simclr",
    "moco_v1",
    "moco_v2",
    "weak",
    "identity",
    views.Policy(EVERYTHING),
    views.Policy([views.Noise(), views.Grayscale(0.5), views.ColorJitter()]),
]


def test_ten_policies_in_one_batch_are_each_policy_alone():
    ten = views.policies(TEN)
    images = crops_of_photographs(100, 32)
    ids = np.random.default_rng(1).permutation(100).astype("int32") % 10
    together = make(ten, images, policy_ids=ids)
    positions = np.arange(100, dtype="int32")
    for index, policy in enumerate(ten.policies):
        chosen = ids == index
        alone = make(policy, images[chosen], positions=positions[chosen])
        np.testing.assert_allclose(together[chosen], alone, atol=2e-5)


def test_compiled_views_are_those_of_eager_execution_in_any_batch():
    policies = views.policies(["simclr", "weak", views.Policy(EVERYTHING)])
    images = crops_of_photographs(512, 32)
    positions = np.arange(512, dtype="int32")
    ids = positions % 3

    @device.compiled
    def call(images, step, positions, policy_ids):
        ids = {"positions": positions, "policy_ids": policy_ids}
        return policies(images, seed=1, step=step, view=0, **ids)

    step = ops.convert_to_tensor(2)
    whole = ops.convert_to_numpy(call(images, step, positions, ids))
    eager = make(policies, images, policy_ids=ids)
    # The tails of the noise are less exact.
    np.testing.assert_allclose(whole, eager, atol=1e-3)
    np.testing.assert_allclose(np.median(abs(whole - eager)), 0.0, atol=1e-7)
    for row in (0, 308, 511):
        row = slice(row, row + 1)
        alone = call(images[row], step, positions[row], ids[row])
        np.testing.assert_allclose(alone, whole[row], atol=2e-5)


def test_two_replicas_are_one():
    policy = views.policy("simclr")
    whole, positions = make(policy), np.arange(16, dtype="int32")
    for replica in range(2):
        rows = np.s_[replica::2]
        part = make(policy, IMAGES[rows], positions=positions[rows])
        np.testing.assert_allclose(part, whole[rows], atol=1e-6)


def test_another_step_compiles_nothing():
    policy = views.policy("weak")
    traced = []

    @device.compiled
    def call(images, step):
        traced.append(step)
        return policy(images, seed=0, step=step, view=0)

    made = [
        ops.convert_to_numpy(call(IMAGES, ops.convert_to_tensor(step)))
        for step in range(3)
    ]
    assert len(traced) == 1
    assert abs(made[0] - made[1]).max() > 0.1


def test_the_batch_may_be_unknown_when_traced(tf):
    policy = views.Policy([views.ResizedCrop(), views.Noise()], size=16)
    spec = tf.TensorSpec((None, 32, 32, 3), "uint8")
    call = tf.function(lambda x: policy(x, **PLACE), input_signature=[spec])
    np.testing.assert_allclose(call(IMAGES), make(policy), atol=2e-5)


def test_rounding_does_not_leave_the_interval():
    white = np.full((64, 32, 32, 3), 255, "uint8")
    policy = views.Policy(
        [views.ResizedCrop(), views.GaussianBlur(probability=1.0)]
    )
    made = make(policy, white)
    assert made.max() <= 1.0
    np.testing.assert_allclose(made, 1.0, atol=1e-6)


def test_one_channel():
    policy = views.Policy(EVERYTHING)
    made = make(policy, IMAGES[..., :1])
    assert made.shape == (16, 32, 32, 1) and made.std() > 0.05


def test_two_channels_are_refused_by_color_only():
    images = IMAGES[..., :2]
    with pytest.raises(ValueError, match="1 or 3 channels, received 2"):
        make(views.policy("simclr"), images)
    assert make(views.policy("weak"), images).shape == images.shape


@pytest.mark.parametrize(
    "policy",
    [
        views.Policy(EVERYTHING, size=(24, 40)),
        views.policies(TEN),
        views.policy("simclr"),
    ],
    ids=["everything", "ten", "simclr"],
)
def test_config_survives_json(policy):
    config = keras.saving.serialize_keras_object(policy)
    config = json.loads(json.dumps(config))
    again = keras.saving.deserialize_keras_object(config)
    assert again == policy and hash(again) == hash(policy)
    ids = np.arange(16, dtype="int32") % 10
    np.testing.assert_array_equal(
        make(again, policy_ids=ids), make(policy, policy_ids=ids)
    )


def test_equality():
    assert views.policy("simclr") == views.policy("simclr")
    assert views.policy("simclr") != views.policy("simclr", size=32)
    assert views.policy("simclr") != views.policy("simclr", strength=1.0)
    assert views.policies(["weak"]) != views.policy("weak")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: views.Policy([views.Noise()] * 2), "different kinds, .*Noise"),
        (
            lambda: views.Policy([views.Noise(), views.ResizedCrop()]),
            "begin with the ResizedCrop, .*Noise",
        ),
        (lambda: views.Policy([], size=0), "`size` .* received 0"),
        (lambda: views.Policy([], size=(8, -1)), r"received \(8, -1\)"),
        (lambda: views.PolicySet([]), r"received sizes \[\]"),
        (
            lambda: views.PolicySet(
                [views.policy("weak"), views.policy("weak", size=8)]
            ),
            r"received sizes \[None, \(8, 8\)\]",
        ),
    ],
)
def test_impossible_policies_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_ids_are_asked_for():
    with pytest.raises(ValueError, match="which of 2 policies"):
        make(views.policies(["weak", "simclr"]))
    # One policy has nothing to choose from.
    ids = np.full(16, 7, "int32")
    np.testing.assert_array_equal(
        make(views.policy("weak"), policy_ids=ids), make(views.policy("weak"))
    )


class Unnumbered(views.Transformation):
    pass


class Second(views.Transformation):
    stream = views.Grayscale.stream


def test_transformations_need_random_numbers_of_their_own():
    with pytest.raises(ValueError, match="`stream` of Unnumbered .* None"):
        views.Policy([Unnumbered()])
    with pytest.raises(ValueError, match="received 3, which Grayscale has"):
        views.Policy([views.Grayscale(), Second()])
    views.Policy([views.Grayscale(), Unnumbered(probability=0.0)])
