import numpy as np
import pytest
from keras import ops
from scipy import stats
from sklearn.datasets import load_sample_image

from keras_contrastive.views import Noise
from keras_contrastive.views import Policy
from keras_contrastive.views import ResizedCrop
from keras_contrastive.views.draws import Draws

SHAPE = (16, 20, 3)


def sample(count=64, step=0, **arguments):
    noise = Noise(**arguments)
    parameters = {
        name: ops.convert_to_tensor(np.array([value], "float32"))
        for name, value in noise.parameters().items()
    }
    positions = np.arange(count, dtype="int32")
    place = {"seed": 0, "step": step, "view": 0, "stream": Noise.stream}
    choices = noise.sample(
        Draws(positions=positions, **place), parameters, SHAPE
    )
    return {k: ops.convert_to_numpy(v) for k, v in choices.items()}


def test_apply_adds_and_clips():
    photograph = load_sample_image("china.jpg")[:16, :20] / 255
    images = np.stack([photograph] * 3).astype("float32")
    normals = np.random.default_rng(0).normal(size=images.shape).astype("f")
    deviation = np.array([0.0, 0.1, 0.7], "float32")
    noisy = ops.convert_to_numpy(
        Noise.apply(
            ops.convert_to_tensor(images),
            ops.convert_to_tensor(deviation),
            ops.convert_to_tensor(normals),
        )
    )
    expected = [
        np.clip(image + d * normal, 0, 1)
        for image, d, normal in zip(images, deviation, normals)
    ]
    np.testing.assert_allclose(noisy, expected, atol=1e-6)
    np.testing.assert_array_equal(noisy[0], images[0])


def test_normals_are_normal():
    normals = sample()["normals"]
    assert normals.shape == (64, *SHAPE)
    assert np.isfinite(normals).all()
    assert stats.kstest(normals.ravel(), "norm").pvalue > 1e-3


def test_normals_are_independent():
    normals = sample()["normals"]
    limit = 4.5 / np.sqrt(normals.size)
    for axis in range(4):
        count = normals.shape[axis] - 1
        here = normals.take(np.arange(count), axis).ravel()
        there = normals.take(np.arange(1, count + 1), axis).ravel()
        assert abs(np.corrcoef(here, there)[0, 1]) < 1.3 * limit, axis
    other = sample(step=1)["normals"]
    correlation = np.corrcoef(normals.ravel(), other.ravel())[0, 1]
    assert abs(correlation) < limit


@pytest.mark.parametrize("probability", [0.0, 0.5, 1.0])
def test_deviations_are_uniform_with_the_probability(probability):
    arguments = {"deviation": (0.05, 0.25), "probability": probability}
    deviation = sample(4000, **arguments)["deviation"]
    noisy = deviation[deviation > 0.0]
    test = stats.binomtest(len(noisy), len(deviation), probability)
    assert test.pvalue > 1e-3
    if len(noisy):
        uniform = (noisy - 0.05) / 0.2
        assert stats.kstest(uniform, "uniform").pvalue > 1e-3


@pytest.mark.parametrize(
    "noise", [Noise((0.0, 0.0), 1.0), Noise((0.1, 0.2), 0.0)]
)
def test_noise_that_changes_nothing_is_no_stage(noise):
    assert noise.idle and not Noise((0.0, 0.1), 0.5).idle
    policy = Policy([ResizedCrop(), noise])
    assert policy._stages == Policy([ResizedCrop()])._stages


def test_a_negative_deviation_is_refused():
    with pytest.raises(ValueError, match="-0.1"):
        Noise(deviation=(-0.1, 0.1))
