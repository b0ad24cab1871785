import numpy as np
import pytest

from keras_contrastive import views

NAMES = ["simclr", "moco_v1", "moco_v2", "weak", "identity"] + [
    f"graded_{level}" for level in range(10)
]


def used(policy):
    return [t for t in policy.transformations if not t.idle]


def test_published_parameters():
    assert used(views.policy("simclr")) == [
        views.ResizedCrop((0.08, 1.0), (3 / 4, 4 / 3), flip=0.5),
        views.ColorJitter(0.4, 0.4, 0.4, 0.1, probability=0.8),
        views.Grayscale(0.2),
    ]
    assert used(views.policy("moco_v1")) == [
        views.ResizedCrop((0.2, 1.0), (3 / 4, 4 / 3), flip=0.5),
        views.Grayscale(0.2),
        views.ColorJitter(0.4, 0.4, 0.4, 0.4, probability=1.0),
    ]
    assert used(views.policy("moco_v2")) == [
        views.ResizedCrop((0.2, 1.0), (3 / 4, 4 / 3), flip=0.5),
        views.ColorJitter(0.4, 0.4, 0.4, 0.1, probability=0.8),
        views.Grayscale(0.2),
        views.GaussianBlur((0.1, 2.0), probability=0.5),
    ]
    assert used(views.policy("weak")) == [views.ResizedCrop((0.2, 1.0))]
    assert used(views.policy("identity")) == []


def test_parameters_of_ones_own():
    policy = views.policy(
        "simclr", size=96, strength=1.0, blur=0.5, area=(0.2, 0.9)
    )
    assert policy.size == (96, 96)
    assert used(policy) == [
        views.ResizedCrop((0.2, 0.9)),
        views.ColorJitter(0.8, 0.8, 0.8, 0.2, probability=0.8),
        views.Grayscale(0.2),
        views.GaussianBlur((0.1, 2.0), probability=0.5),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_any_policy_can_add_noise(name):
    plain, noisy = views.policy(name), views.policy(name, noise=0.1)
    expected = [*used(plain), views.Noise((0.1, 0.1), probability=1.0)]
    assert used(noisy) == expected
    assert views.policy(name, noise=0.0) == plain


def test_noise_has_the_deviation_asked_for():
    images = np.full((8, 16, 16, 3), 128, "uint8")
    view = views.policy("identity", noise=0.1)(images, seed=0, step=0, view=0)
    noise = np.asarray(view) - 128 / 255
    assert abs(noise.std() - 0.1) < 0.005 and abs(noise.mean()) < 0.005


def test_graded_policies_grow_stronger():
    for level in range(10):
        strength = (level + 1) / 10
        crop, jitter, grayscale = used(views.policy(f"graded_{level}"))
        np.testing.assert_allclose(crop.area, (1 - 0.92 * strength, 1))
        np.testing.assert_allclose(jitter.brightness, 0.8 * strength)
        np.testing.assert_allclose(jitter.contrast, 0.8 * strength)
        np.testing.assert_allclose(jitter.saturation, 0.8 * strength)
        np.testing.assert_allclose(jitter.hue, 0.2 * strength)
        np.testing.assert_allclose(grayscale.probability, 0.2 * strength)
        assert jitter.probability == 0.8 and crop.flip == 0.5


def test_policies_are_named_or_given():
    own = views.Policy([views.Noise()], size=16)
    several = views.policies(["weak", own, "graded_3"], size=16)
    assert several.policies == (
        views.policy("weak", size=16),
        own,
        views.policy("graded_3", size=16),
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_policy_makes_views(name):
    images = np.random.default_rng(0).integers(0, 256, (4, 12, 9, 3), "uint8")
    view = views.policy(name, size=8)(images, seed=0, step=0, view=0)
    view = np.asarray(view)
    assert view.shape == (4, 8, 8, 3) and view.dtype == "float32"
    assert view.min() >= 0.0 and view.max() <= 1.0 and view.std() > 0.02


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: views.policy("simclr_v9"), "graded_9, received 'simclr_v9'"),
        (lambda: views.policy("weak", blur=0.5), "'weak' .*blur"),
        (lambda: views.policy("simclr", strength=-1.0), "-1.0"),
        (lambda: views.policy("simclr", blur=2.0), "2.0"),
        (lambda: views.policy("weak", noise=-0.1), "`noise`.*-0.1"),
        (lambda: views.policies(["weak", "none"]), "'none'"),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
