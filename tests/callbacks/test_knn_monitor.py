import keras
import numpy as np
import pytest

from keras_contrastive import callbacks
from keras_contrastive import evaluation


def classified_images(seed, count):
    """Noisy images of three colours, and which colour it is."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(3, size=count)
    images = 0.35 * np.eye(3)[labels][:, None, None, :]
    images = images + 0.65 * generator.random((count, 4, 4, 3))
    return images.astype("float32"), labels * 2 + 1


TRAIN, TEST = classified_images(0, 300), classified_images(1, 120)


def model_of_features():
    model = keras.Sequential(
        [
            keras.layers.Input((4, 4, 3)),
            keras.layers.Flatten(),
            keras.layers.Dense(5),
        ]
    )
    model.compile("sgd", "mse", jit_compile=False)
    return model


def fit(monitor, epochs=1):
    model = model_of_features()
    history = model.fit(
        TRAIN[0],
        np.zeros((300, 5)),
        epochs=epochs,
        verbose=0,
        callbacks=[monitor],
    )
    return model, history.history


def test_the_figure_is_the_knn_accuracy():
    monitor = callbacks.KNNMonitor(*TRAIN, *TEST, k=9, temperature=0.3)
    model, history = fit(monitor, 2)
    features = [model.predict(each[0], verbose=0) for each in (TRAIN, TEST)]
    expected = evaluation.knn_accuracy(
        features[0], TRAIN[1], features[1], TEST[1], 9, 0.3
    )
    assert history["knn_accuracy"][-1] == pytest.approx(expected, abs=0.01)
    assert len(history["knn_accuracy"]) == 2
    assert 0.4 < expected < 1


def test_k_and_temperature_reach_the_figure():
    # All of the bank with equal weights: the commonest label.
    monitor = callbacks.KNNMonitor(*TRAIN, *TEST, k=300, temperature=1e6)
    _, history = fit(monitor)
    commonest = np.bincount(TRAIN[1]).argmax()
    expected = np.mean(TEST[1] == commonest)
    assert history["knn_accuracy"][0] == pytest.approx(expected)


def test_samples_are_seeded_and_keep_their_labels():
    monitors = [
        callbacks.KNNMonitor(
            *TRAIN, *TEST, max_train=50, max_test=20, seed=seed
        )
        for seed in (0, 0, 1)
    ]
    for monitor in monitors:
        assert len(monitor.images) == 70
        assert len(monitor.train_labels) == 50
        assert len(monitor.test_labels) == 20
        parts = [(TRAIN, monitor.train_labels), (TEST, monitor.test_labels)]
        start = 0
        for (images, labels), sampled_labels in parts:
            for label in sampled_labels:
                same = (images == monitor.images[start]).all(axis=(1, 2, 3))
                assert labels[same].tolist() == [label]
                start += 1
    np.testing.assert_array_equal(monitors[0].images, monitors[1].images)
    assert (monitors[0].images != monitors[2].images).any()


def test_anything_with_a_length_and_integer_indexing_serves():
    class Folder:
        def __len__(self):
            return 300

        def __getitem__(self, rows):
            return [TRAIN[0][row] for row in rows]

    monitor = callbacks.KNNMonitor(
        Folder(), list(TRAIN[1]), *TEST, max_train=30
    )
    assert monitor.images.shape == (150, 4, 4, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k": 0}, "received 0 and 0.1"),
        ({"temperature": 0}, "received 200 and 0"),
        ({"every": 0}, "`every` .* received 0"),
        ({"max_train": 0}, "`max_train` .* received 0"),
        ({"max_test": -1}, "`max_test` .* received -1"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        callbacks.KNNMonitor(*TRAIN, *TEST, **arguments)


def test_labels_of_another_length_are_refused():
    with pytest.raises(ValueError, match="`test_labels` .* 119 for 120"):
        callbacks.KNNMonitor(*TRAIN, TEST[0], TEST[1][1:])
