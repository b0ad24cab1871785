import warnings

import keras
import numpy as np
import pytest

from keras_contrastive import callbacks
from keras_contrastive import evaluation

IMAGES = np.random.default_rng(0).random((60, 4, 4, 3)).astype("float32")


def fit(monitor, kernel, bias, epochs=2):
    """Epochs that train nothing, of features `kernel x pixels + bias`."""
    dense = keras.layers.Dense(
        7,
        kernel_initializer=keras.initializers.RandomNormal(0, kernel, seed=0),
        bias_initializer=keras.initializers.Constant(bias),
    )
    model = keras.Sequential(
        [keras.layers.Input((4, 4, 3)), keras.layers.Flatten(), dense]
    )
    model.compile(keras.optimizers.SGD(0.0), "mse", jit_compile=False)
    history = model.fit(
        IMAGES,
        np.zeros((60, 7)),
        epochs=epochs,
        verbose=0,
        callbacks=[monitor],
    )
    return model, history.history


def test_figures_are_those_of_the_features():
    monitor = callbacks.CollapseMonitor(IMAGES)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model, history = fit(monitor, kernel=1.0, bias=0.0)
    features = model.predict(IMAGES, verbose=0)
    for name in ("spread", "effective_rank", "uniformity"):
        expected = getattr(evaluation, name)(features)
        assert history[name] == pytest.approx([expected] * 2, rel=1e-4), name


def test_a_collapse_is_said_once_a_training():
    monitor = callbacks.CollapseMonitor(IMAGES)
    for _ in range(2):
        with pytest.warns(UserWarning, match="have collapsed") as found:
            _, history = fit(monitor, kernel=1e-4, bias=1.0, epochs=3)
        assert history["spread"][-1] < 1e-3
        assert sum("collapsed" in str(each.message) for each in found) == 1


def test_a_collapse_of_the_projections_alone_is_said_of_them():
    monitor = callbacks.CollapseMonitor(IMAGES)
    projections = 1 + 1e-4 * np.random.default_rng(1).normal(size=(60, 8))
    for name in ("projections", "features"):
        monitor.measure(projections, name)
        with pytest.warns(UserWarning, match=f"The {name} have collapsed"):
            monitor.measure(projections, name)


def test_one_measurement_is_no_collapse_yet():
    monitor = callbacks.CollapseMonitor(IMAGES)
    generator = np.random.default_rng(1)
    spread_out = generator.normal(size=(60, 8))
    collapsed = 1 + 1e-4 * spread_out
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        for features in (collapsed, spread_out, collapsed):
            monitor.measure(features, "features")


def test_images_are_a_seeded_sample():
    samples = [
        callbacks.CollapseMonitor(IMAGES, max_images=10, seed=seed).images
        for seed in (0, 0, 1)
    ]
    assert samples[0].shape == (10, 4, 4, 3)
    np.testing.assert_array_equal(samples[0], samples[1])
    assert (samples[0] != samples[2]).any()
    assert len(callbacks.CollapseMonitor(IMAGES, max_images=None).images) == 60


def test_fewer_than_two_images_are_refused():
    with pytest.raises(ValueError, match="received 1 and 1000"):
        callbacks.CollapseMonitor(IMAGES[:1])
    with pytest.raises(ValueError, match="received 60 and 1"):
        callbacks.CollapseMonitor(IMAGES, max_images=1)
