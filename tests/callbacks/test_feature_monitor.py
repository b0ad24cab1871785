import keras
import numpy as np
import pytest

from keras_contrastive import models
from keras_contrastive.callbacks.feature_monitor import FeatureMonitor
from tests.models import checks


class MeanMonitor(FeatureMonitor):
    """Logs the mean of the features."""

    figures = ("mean",)

    def __init__(self, images, every=1, projections=False, batch_size=4):
        super().__init__(images, every, projections, batch_size)

    def measure(self, features, name):
        return {"mean": float(features.mean())}


class Model(keras.Model):
    """One learned feature, which batch normalization changes in training."""

    def __init__(self, projector=None):
        super().__init__()
        self.normalization = keras.layers.BatchNormalization()
        self.dense = keras.layers.Dense(1, kernel_initializer="ones")
        self.projector = projector
        self.traces = 0

    def call(self, images, training=False):
        self.traces += 1
        images = keras.ops.mean(images, axis=(1, 2))
        return self.dense(self.normalization(images, training=training))

    def predict_projections(self, features, batch_size):
        return np.asarray(self.projector(features))


IMAGES = np.random.default_rng(0).random((10, 4, 4, 3)).astype("float32")


MODEL = Model()


def fit(monitor, epochs=1, projector=None, more=(), learning_rate=0.01):
    model = Model(projector)
    model.compile(
        keras.optimizers.SGD(learning_rate),
        "mse",
        # Elsewhere it takes longer to compile than to train.
        jit_compile=keras.backend.backend() == "jax",
    )
    history = model.fit(
        IMAGES,
        np.arange(10.0)[:, None],
        batch_size=5,
        epochs=epochs,
        verbose=0,
        callbacks=[monitor, *more],
    )
    return model, history.history


def test_figures_are_those_of_predict_at_the_end_of_the_epoch():
    model, history = fit(MeanMonitor(IMAGES), epochs=3)
    assert len(history["mean"]) == 3
    expected = model.predict(IMAGES, verbose=0).mean()
    assert history["mean"][-1] == pytest.approx(expected, rel=1e-5)
    assert history["mean"][0] != history["mean"][-1]
    # In training mode normalization would take off the mean.
    other = np.mean(keras.ops.convert_to_numpy(model(IMAGES, training=True)))
    assert abs(other - expected) > 0.01


@pytest.mark.parametrize(
    ("every", "epochs", "expected"),
    [
        (1, 3, [1, 2, 3]),
        (2, 5, [1, 2, 4, 5]),
        (3, 6, [1, 3, 6]),
        (10, 4, [1, 4]),
        (10, 1, [1]),
    ],
)
def test_measured_are_the_first_each_nth_and_the_last(every, epochs, expected):
    monitor = MeanMonitor(IMAGES, every)
    monitor.set_model(MODEL)
    monitor.set_params({"epochs": epochs})
    monitor.on_train_begin()
    measured = []
    for epoch in range(epochs):
        logs = {"loss": 0.0}
        monitor.on_epoch_end(epoch, logs)
        if "mean" in logs:
            measured.append(epoch + 1)
    assert measured == expected


def test_stock_callbacks_behind_see_the_figures(tmp_path):
    best = keras.callbacks.ModelCheckpoint(
        tmp_path / "{epoch}-{mean:.3f}.weights.h5",
        monitor="mean",
        mode="max",
        save_weights_only=True,
    )
    table = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    _, history = fit(MeanMonitor(IMAGES), 2, more=[best, table])
    names = [f"{i + 1}-{x:.3f}" for i, x in enumerate(history["mean"])]
    for name in names:
        assert (tmp_path / f"{name}.weights.h5").exists()
    assert "mean" in (tmp_path / "log.csv").read_text().splitlines()[0]


def test_later_epochs_trace_nothing():
    traces = []

    class Watch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            traces.append(self.model.traces)

    fit(MeanMonitor(IMAGES), 4, more=[Watch()])
    assert traces[0] > 0
    assert traces == [traces[0]] * 4


def test_projections_have_names_of_their_own():
    projector = keras.Sequential([keras.layers.Rescaling(-3.0)])
    monitor = MeanMonitor(IMAGES, projections=True)
    _, history = fit(monitor, projector=projector)
    assert history["projections_mean"][0] == pytest.approx(
        -3 * history["mean"][0], rel=1e-5
    )


def test_projections_are_of_the_branch_of_predict():
    model = checks.small_model(
        models.SimCLR, adversary=models.Adversary(0.1), projector="mlp"
    )
    pixels = checks.images(12)
    monitor = MeanMonitor(pixels, projections=True)
    history = model.fit(pixels, epochs=4, verbose=0, callbacks=[monitor])
    found = history.history["projections_mean"][-1]
    features = model.predict(pixels, verbose=0)
    features = keras.ops.convert_to_tensor(features)
    branches = [
        float(
            keras.ops.mean(
                model.projector([features, keras.ops.full((12,), branch)])
            )
        )
        for branch in (0, 1)
    ]
    assert found == pytest.approx(branches[0], rel=1e-4)
    assert abs(found - branches[1]) > 0.1 * abs(found)


def test_images_out_of_range_are_refused_before_the_first_epoch():
    model = checks.small_model(models.SimCLR)
    pixels = checks.images(12)
    monitor = MeanMonitor(pixels.astype("float32"))
    with pytest.raises(ValueError, match=r"`images`.*\[0, 1\]"):
        model.fit(pixels, verbose=0, callbacks=[monitor])
    assert int(model.step) == 0


def test_projections_without_a_projector_are_refused():
    with pytest.raises(ValueError, match="`projections=True` .* Model"):
        fit(MeanMonitor(IMAGES, projections=True))


def test_what_is_not_finite_is_nan_and_said_once():
    with pytest.warns(UserWarning, match="10 of 10 images") as found:
        _, history = fit(MeanMonitor(IMAGES), 3, learning_rate=1e30)
    assert np.isnan(history["mean"]).all() and len(history["mean"]) == 3
    ours = [each for each in found if "not finite" in str(each.message)]
    assert len(ours) == 1


@pytest.mark.parametrize("name", ["every", "batch_size"])
def test_counts_that_are_not_positive_are_refused(name):
    with pytest.raises(ValueError, match=f"`{name}` .* received 0"):
        MeanMonitor(IMAGES, **{name: 0})
