import keras
import numpy as np
import pytest

from keras_contrastive import callbacks
from keras_contrastive import evaluation


def images_of_three_colours(count=90):
    generator = np.random.default_rng(0)
    labels = generator.integers(3, size=count)
    images = 0.3 * np.eye(3)[labels][:, None, None, :]
    images = images + 0.7 * generator.random((count, 4, 4, 3))
    return images.astype("float32"), labels


def fit(monitor, images, epochs):
    # A start from which the clusters are neither perfect nor constant.
    keras.utils.set_random_seed(6)
    layers = [keras.layers.Flatten(), keras.layers.Dense(5)]
    model = keras.Sequential([keras.layers.Input((4, 4, 3)), *layers])
    model.compile("sgd", "mse", jit_compile=False)
    targets = np.zeros((len(images), 5))
    history = model.fit(
        images, targets, epochs=epochs, verbose=0, callbacks=[monitor]
    )
    return model, history.history["clustering_accuracy"]


def test_the_figure_is_the_clustering_accuracy():
    images, labels = images_of_three_colours()
    monitor = callbacks.ClusteringMonitor(images, labels, every=2)
    model, logged = fit(monitor, images, epochs=4)
    (clusters,) = evaluation.kmeans_clustering(
        model.predict(images, verbose=0), 3, seeds=1, n_init=3
    )
    expected = evaluation.clustering_accuracy(labels, clusters)
    assert 0.35 < expected < 1
    assert logged[-1] == pytest.approx(expected, abs=0.02)
    assert len(logged) == 3  # the first, the second and the fourth epoch


def test_a_sample_keeps_images_and_labels_together():
    images, labels = images_of_three_colours()
    monitor = callbacks.ClusteringMonitor(images, labels, max_images=30)
    assert len(monitor.images) == len(monitor.labels) == 30
    for image, label in zip(monitor.images, monitor.labels):
        (index,) = np.flatnonzero((images == image).all(axis=(1, 2, 3)))
        assert labels[index] == label


def test_labels_of_another_length_are_refused():
    images, labels = images_of_three_colours()
    with pytest.raises(ValueError, match="89 for 90"):
        callbacks.ClusteringMonitor(images, labels[1:])


@pytest.mark.parametrize("name", ["every", "n_init", "max_images"])
def test_counts_that_are_not_positive_are_refused(name):
    with pytest.raises(ValueError, match=f"`{name}` .* received 0"):
        callbacks.ClusteringMonitor(*images_of_three_colours(), **{name: 0})
