import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive import callbacks
from keras_contrastive import encoders
from keras_contrastive import export
from keras_contrastive import layers
from keras_contrastive import models
from tests.models.checks import check_resume
from tests.models.checks import check_round_trip
from tests.models.checks import images
from tests.models.checks import views_of

# Images of 8 x 8 pixels with patches of 4 are a grid of 3 x 3.
ROWS = COLUMNS = 3


def patch_encoder(normalization="none", shape=(4, 4, 3)):
    keras.utils.set_random_seed(0)
    return encoders.two_conv(
        shape, channels=(4, 6), normalization=normalization
    )


def cpc(normalization="none", eager=True, encoder=None, **kwargs):
    defaults = {"image_shape": (8, 8, 3), "patch_size": 4, "steps": 2}
    model = models.CPC(
        encoder or patch_encoder(normalization), **{**defaults, **kwargs}
    )
    model.compile(
        optimizer=keras.optimizers.SGD(0.1, momentum=0.9), run_eagerly=eager
    )
    return model


def loss_by_loops(model, views):
    """The paper's formulas, one prediction at a time: rows, and who is first.

    Args:
        model: the CPC.
        views: list of arrays `(N, 8, 8, 3)`, one a view.
    """
    everybody, grids = {}, {}
    for view, pixels in enumerate(views):
        pixels = ops.convert_to_numpy(pixels)
        for image, (row, column) in enumerate_places(len(pixels)):
            top, left = 2 * row, 2 * column
            patch = pixels[image, top : top + 4, left : left + 4]
            z = ops.convert_to_numpy(model.patch_encoder(patch[None]))[0]
            everybody[view, image, row, column] = z
            grid = grids.setdefault((view, image), np.zeros((3, 3, 6), "f"))
            grid[row, column] = z
    rows, first = [], []
    for (view, image), grid in grids.items():
        contexts = ops.convert_to_numpy(model.context(grid[None]))[0]
        for k, predictor in enumerate(model.predictors, 1):
            matrix = ops.convert_to_numpy(predictor.kernel)
            for row, column in np.ndindex(ROWS - k, COLUMNS):
                scores = {
                    place: z @ (contexts[row, column] @ matrix)
                    for place, z in everybody.items()
                }
                positive = scores[view, image, row + k, column]
                total = sum(np.exp(each) for each in scores.values())
                rows.append(-np.log(np.exp(positive) / total))
                first.append(positive >= max(scores.values()))
    return np.array(rows), np.array(first)


def enumerate_places(count):
    for image in range(count):
        for place in np.ndindex(ROWS, COLUMNS):
            yield image, place


@pytest.mark.parametrize("context", ["gru", "conv"])
@pytest.mark.parametrize("view_order", ["image_major", "view_major"])
def test_the_first_step_by_hand(context, view_order):
    num_views = 1 if view_order == "image_major" else 2
    options = {
        "context": context,
        "num_views": num_views,
        "view_order": view_order,
    }
    model, pixels = cpc(**options), images(4)
    for predictor in model.predictors:  # Larger scores, that differ.
        predictor.kernel.assign(predictor.kernel * 9)
    rows, first = loss_by_loops(model, views_of(model, pixels, 0))
    assert len(rows) == 4 * num_views * (2 + 1) * COLUMNS
    assert rows.std() > 0.05
    history = model.fit(pixels, batch_size=4, shuffle=False, verbose=0).history
    np.testing.assert_allclose(history["loss"][0], rows.mean(), rtol=1e-4)
    np.testing.assert_allclose(
        history["contrastive_accuracy"][0], first.mean(), rtol=1e-5
    )


def test_a_map_that_knows_nothing_gives_the_log_of_the_patches():
    model = cpc()
    for predictor in model.predictors:
        predictor.kernel.assign(0 * predictor.kernel)
    loss, accuracy = model.evaluate(images(), batch_size=12, verbose=0)
    np.testing.assert_allclose(loss, np.log(12 * 9), rtol=1e-5)
    assert accuracy == 1  # Ties count as found.


def test_contexts_do_not_see_the_pixels_below():
    model = cpc()
    pixels = images(2) / np.float32(255)
    changed = pixels.copy()
    # Below row 4 + 2 = 6 there are pixels of the last row of patches only.
    changed[:, 6:] = 1 - changed[:, 6:]
    before, after = (
        ops.convert_to_numpy(model.context(model.grid_encoder(each)))
        for each in (pixels, changed)
    )
    np.testing.assert_array_equal(before[:, :2], after[:, :2])
    assert (np.abs(after - before)[:, 2].max(axis=-1) > 1e-5).all()


def test_features_are_the_mean_over_the_patches():
    model, pixels = cpc(), images(3)
    patches = layers.Patches(4)(pixels / np.float32(255))
    by_patch = model.patch_encoder(ops.reshape(patches, (-1, 4, 4, 3)))
    expected = np.reshape(by_patch, (3, 9, 6)).mean(axis=1)
    features = model.predict(pixels, verbose=0)
    np.testing.assert_allclose(features, expected, rtol=1e-5, atol=1e-6)


def test_all_of_it_trains_and_nothing_counts_twice():
    model = cpc()
    names = [each.path for each in model.trainable_variables]
    assert len(names) == len(set(names)) == 4 + 3 + 2
    before = [ops.convert_to_numpy(each) for each in model.trainable_variables]
    model.fit(images(), batch_size=12, verbose=0)
    for start, variable in zip(before, model.trainable_variables, strict=True):
        assert np.abs(ops.convert_to_numpy(variable) - start).max() > 0


def test_it_learns_what_is_below():
    # Each image has a shade of its own, as pixels below have.
    pixels = np.zeros((24, 8, 8, 3), "uint8")
    pixels += np.arange(24, dtype="uint8")[:, None, None, None] * 10
    pixels += images() // 16
    model = cpc(eager=False, views="identity")
    model.compile(optimizer=keras.optimizers.Adam(0.01))
    history = model.fit(pixels, batch_size=24, epochs=40, verbose=0).history
    start, end = history["loss"][0], history["loss"][-1]
    assert end < start - 0.5
    assert (
        history["contrastive_accuracy"][-1] > history["contrastive_accuracy"][0]
    )


@pytest.mark.parametrize(
    "normalization",
    ["batch", "group", layers.SplitBatchNormalization(2, "contiguous")],
    ids=lambda value: getattr(value, "assignment", value),
)
def test_the_exported_encoder_gives_the_features(normalization, tmp_path):
    model = cpc(normalization)
    model.fit(images(), batch_size=12, verbose=0)
    export.encoder(model).save(tmp_path / "encoder.keras")
    loaded = keras.saving.load_model(tmp_path / "encoder.keras")
    assert loaded.input_shape == (None, 8, 8, 3)
    np.testing.assert_allclose(
        loaded.predict(images(seed=1), verbose=0),
        model.predict(images(seed=1), verbose=0),
        rtol=1e-4,
        atol=1e-5,
    )


def test_the_knn_monitor_measures_whole_images():
    labels = np.arange(24) % 2
    monitor = callbacks.KNNMonitor(images(), labels, images(), labels, k=1)
    history = cpc().fit(images(), batch_size=12, verbose=0, callbacks=[monitor])
    assert history.history["knn_accuracy"] == [1.0]


@pytest.mark.parametrize("context", ["gru", "conv"])
def test_save_load_and_resume(context, tmp_path):
    model = cpc("batch", context=context, stride=1, steps=3, num_views=2)
    model.fit(images(), batch_size=8, verbose=0)
    loaded = check_round_trip(model, tmp_path / "model.keras", images())
    for name in ("image_shape", "patch_size", "stride", "num_views"):
        assert getattr(loaded, name) == getattr(model, name)
    assert len(loaded.predictors) == 3 and loaded.projector is None
    assert loaded.patch_encoder.input_shape == (None, 4, 4, 3)
    if context == "gru":
        check_resume(cpc, tmp_path / "part.keras", images())


def test_a_context_of_ones_own():
    context = layers.causal_context("gru", (3, 3), dim=6, units=5)
    model = cpc(context=context)
    assert model.context is context
    assert model.predictors[0].kernel.shape == (5, 6)
    history = model.fit(images(), batch_size=12, verbose=0).history
    assert np.isfinite(history["loss"][0])


def routed():
    return patch_encoder(layers.SplitBatchNormalization(2, "ids"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": 3}, "`steps`.*3 for a grid of 3 x 3"),
        ({"steps": 0}, "`steps`.*0"),
        ({"patch_size": 9}, "`size`.*9 pixels.*8 x 8"),
        ({"stride": 0}, "`stride`.*0"),
        ({"context": "lstm"}, "context must be .*'lstm'"),
        ({"num_views": 0}, "`views`.*1 or more.*0"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        cpc(**arguments)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: patch_encoder(shape=(8, 8, 3)), r"\(4, 4, 3\).*\(8, 8, 3\)"),
        (lambda: patch_encoder(shape=(4, 4, 1)), r"\(4, 4, 3\).*\(4, 4, 1\)"),
        (lambda: keras.Sequential(), r"`encoder`.*\(4, 4, 3\)"),
        (
            lambda: keras.Sequential(
                [keras.Input((4, 4, 3)), keras.layers.ReLU()]
            ),
            r"feature vectors.*\(None, 4, 4, 3\)",
        ),
        (routed, "`encoder`.*only input.*2.*split ids"),
    ],
)
def test_encoders_of_anything_but_patches_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        cpc(encoder=make())


def test_a_context_of_another_grid_is_refused():
    context = layers.causal_context("gru", (2, 3), dim=6)
    message = r"`context`.*3, 3, units.*\(None, 2, 3, 6\)"
    with pytest.raises(ValueError, match=message):
        cpc(context=context)


def test_an_encoder_of_patches_of_any_size():
    model = cpc(encoder=patch_encoder(shape=(None, None, 3)))
    assert model.predict(images(2), verbose=0).shape == (2, 6)
