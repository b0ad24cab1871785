import numpy as np
import pytest
from sklearn.datasets import load_digits

from keras_contrastive import evaluation


def test_pixels_of_bytes_and_floats_are_the_same():
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (5, 4, 3, 2)).astype("uint8")
    pixels = evaluation.pixel_features(images)
    assert pixels.dtype == np.float32 and pixels.shape == (5, 24)
    assert pixels[3, 7] == np.float32(images[3, 1, 0, 1] / 255)
    floats = evaluation.pixel_features(images / np.float64(255))
    np.testing.assert_allclose(floats, pixels, rtol=1e-6)


@pytest.mark.parametrize(
    "images",
    [np.zeros((2, 3, 3)), np.zeros((2, 3, 3, 1), "int32"), np.zeros((2, 9))],
)
def test_other_images_are_refused(images):
    with pytest.raises(ValueError, match="`images`") as error:
        evaluation.pixel_features(images)
    assert str(images.dtype) in str(error.value)
    assert str(images.shape) in str(error.value)


def test_components_are_those_of_the_training_features():
    data = load_digits().data
    train, test = evaluation.pca_features(data[:1200], data[1200:], dim=5)
    assert train.dtype == test.dtype == np.float32
    mean = data[:1200].mean(axis=0)
    axes = np.linalg.svd(data[:1200] - mean, full_matrices=False)[2][:5]
    for found, part in [(train, data[:1200]), (test, data[1200:])]:
        expected = (part - mean) @ axes.T
        signs = np.sign((found * expected).sum(axis=0))
        np.testing.assert_allclose(found * signs, expected, atol=1e-2)


def test_components_are_no_more_than_there_are():
    parts = evaluation.pca_features(
        np.random.rand(9, 4), np.random.rand(3, 4), np.random.rand(1, 4)
    )
    assert [part.shape for part in parts] == [(9, 4), (3, 4), (1, 4)]


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="`dim` .* received 0"):
        evaluation.pca_features(np.ones((3, 2)), dim=0)
    with pytest.raises(ValueError, match="received 3 and 2"):
        evaluation.pca_features(np.ones((3, 2)), np.ones((3, 3)))
    with pytest.raises(ValueError, match="`trials` .* received 0"):
        evaluation.chance_clustering_accuracy([1, 2], trials=0)


def test_chance_is_the_mean_over_random_clusters():
    labels = np.arange(10_000) % 10
    assert evaluation.chance_clustering_accuracy(labels) == pytest.approx(
        0.113, abs=0.001
    )
    two = np.arange(10_000) % 2
    # The mean of max(p, 1 - p): half plus the mean absolute deviation.
    expected = 0.5 + 0.5 * np.sqrt(2 / np.pi / len(two))
    assert evaluation.chance_clustering_accuracy(
        two, trials=200
    ) == pytest.approx(expected, abs=1e-3)


def test_chance_is_seeded():
    labels = np.arange(100) % 5
    first = evaluation.chance_clustering_accuracy(labels)
    assert first == evaluation.chance_clustering_accuracy(labels)
    assert first != evaluation.chance_clustering_accuracy(labels, seed=1)
