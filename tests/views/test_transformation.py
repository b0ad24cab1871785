import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive import views
from keras_contrastive.views.transformation import between
from keras_contrastive.views.transformation import check_fraction
from keras_contrastive.views.transformation import check_interval

ALL = [
    views.ColorJitter(0.1, 0.2, 0.3, 0.4, 0.5, random_order=False),
    views.Cutout(size=0.25, fill=0.1, probability=0.4),
    views.GaussianBlur(sigma=(0.5, 1.0), probability=0.3, kernel_size=5),
    views.Grayscale(probability=0.3),
    views.Identity(),
    views.Noise(deviation=(0.1, 0.2), probability=0.3),
    views.ResizedCrop((0.3, 0.4), (0.5, 0.6), flip=0.7, probability=0.8),
    views.Solarize(threshold=0.3, probability=0.4),
]


@keras.saving.register_keras_serializable(package="test_transformation")
class Invert(views.Transformation):
    stream = 100

    @staticmethod
    def sample(draws, parameters, shape):
        u = draws.per_image(1)
        return {"invert": u[:, 0] < parameters["probability"]}

    @staticmethod
    def apply(images, invert):
        invert = invert[:, None, None, None]
        return ops.where(invert, 1.0 - images, images)


def test_one_can_write_ones_own():
    images = np.random.default_rng(0).random((64, 4, 4, 3), "float32")
    policy = views.Policy([Invert(probability=0.5)])
    made = np.asarray(policy(images, seed=0, step=0, view=0))
    inverted = (made != images).any(axis=(1, 2, 3))
    assert 16 < inverted.sum() < 48
    np.testing.assert_allclose(made[inverted], 1.0 - images[inverted])
    assert views.Policy.from_config(policy.get_config()) == policy


def test_all_are_here():
    kinds = {getattr(views, name) for name in views.__all__}
    kinds = {
        kind
        for kind in kinds
        if isinstance(kind, type) and issubclass(kind, views.Transformation)
    }
    assert kinds - {views.Transformation} == {type(t) for t in ALL}


def test_streams_differ():
    # For ever: with others, old runs cannot be repeated.
    streams = {type(t).__name__: type(t).stream for t in ALL}
    assert streams == {
        "ResizedCrop": 1,
        "ColorJitter": 2,
        "Grayscale": 3,
        "GaussianBlur": 4,
        "Solarize": 5,
        "Noise": 6,
        "Cutout": 7,
        "Identity": None,
    }


@pytest.mark.parametrize("transformation", ALL, ids=lambda t: type(t).__name__)
def test_config_round_trip(transformation):
    config = keras.saving.serialize_keras_object(transformation)
    assert config["registered_name"].startswith("keras_contrastive>")
    again = keras.saving.deserialize_keras_object(config)
    assert again == transformation
    if not isinstance(transformation, views.Identity):
        assert again != type(transformation)()


@pytest.mark.parametrize("transformation", ALL, ids=lambda t: type(t).__name__)
def test_neutral_is_idle(transformation):
    assert type(transformation).neutral().idle
    assert transformation.idle == isinstance(transformation, views.Identity)


def test_parameters_are_floats():
    blur = views.GaussianBlur(sigma=(0.5, 1.0), probability=0.3)
    assert blur.parameters() == {
        "sigma_low": 0.5,
        "sigma_high": 1.0,
        "probability": 0.3,
        "kernel_size": 0.0,
    }
    assert views.ColorJitter().parameters()["random_order"] == 1.0


def test_checks():
    assert check_fraction("p", 1) == 1.0
    assert check_interval("p", [0, 1], 0.0, 1.0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="`p` must be between 0 and 1, .* nan"):
        check_fraction("p", float("nan"))
    with pytest.raises(ValueError, match=r"`p` must be a pair .* received 3\."):
        check_interval("p", 3, 0.0)
    with pytest.raises(ValueError, match=r"received \(1, 2, 3\)"):
        check_interval("p", (1, 2, 3), 0.0)


def test_between():
    np.testing.assert_allclose(between(np.array([0, 0.25]), 2, 4), [2, 2.5])
