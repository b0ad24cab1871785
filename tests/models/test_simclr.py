import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive import data
from keras_contrastive import encoders
from keras_contrastive import layers
from keras_contrastive import losses
from keras_contrastive import models
from keras_contrastive import views
from tests.models import checks
from tests.models.checks import assert_same_weights
from tests.models.checks import images
from tests.models.checks import weights_of


def small_model(**kwargs):
    defaults = {"temperature": 0.2, "eager": False}
    return checks.small_model(models.SimCLR, **{**defaults, **kwargs})


def test_fit_lowers_the_loss():
    model = small_model()
    history = model.fit(images(), batch_size=12, epochs=25, verbose=0)
    loss = history.history["loss"]
    assert np.isfinite(loss).all()
    assert np.mean(loss[-3:]) < np.mean(loss[:3]) - 0.05


def test_first_loss_is_nt_xent_of_the_views_of_step_0():
    model = small_model()
    batch = images(12)
    both = [
        views.policy("weak")(batch, seed=0, step=0, view=view)
        for view in (0, 1)
    ]
    stacked = np.stack([ops.convert_to_numpy(v) for v in both], axis=1)
    stacked = stacked.reshape((24, 8, 8, 3))
    features = model.encoder(stacked, training=True)
    projections = ops.convert_to_numpy(model.projector(features))
    rows = losses.nt_xent(projections[0::2], projections[1::2], 0.2)
    fresh = small_model()
    history = fresh.fit(
        batch, batch_size=12, shuffle=False, epochs=1, verbose=0
    )
    np.testing.assert_allclose(
        history.history["loss"][0], np.mean(rows), rtol=1e-4
    )


@pytest.mark.parametrize("eager", [True, False])
def test_chunks_train_the_same(eager):
    """Three steps: losses, figures and weights."""
    whole, chunks = (
        small_model(eager=eager, chunk_size=size) for size in (None, 7)
    )
    histories = [
        model.fit(images(), batch_size=8, verbose=0).history
        for model in (whole, chunks)
    ]
    assert set(histories[0]) == set(histories[1])
    for name, values in histories[0].items():
        np.testing.assert_allclose(
            histories[1][name], values, rtol=1e-5, err_msg=name
        )
    assert_same_weights(whole, chunks, rtol=1e-4, atol=1e-6)


def test_chunks_survive_a_round_trip(tmp_path):
    model = small_model(eager=True, chunk_size=5)
    path = tmp_path / "model.keras"
    loaded = checks.check_round_trip(model, path, images())
    assert loaded.chunk_size == 5


def test_chunks_train_against_an_adversary_the_same():
    adversary = models.Adversary(epsilon=8 / 255, share=0.5)
    whole, chunks = (
        small_model(eager=True, chunk_size=size, adversary=adversary)
        for size in (None, 7)
    )
    losses_of = [
        model.fit(images(), batch_size=8, verbose=0).history["loss"]
        for model in (whole, chunks)
    ]
    np.testing.assert_allclose(*losses_of, rtol=1e-5)
    assert_same_weights(whole, chunks, rtol=1e-3, atol=1e-5)


def test_predict_gives_the_encoders_features_in_inference_mode():
    model = small_model()
    model.fit(images(), batch_size=12, epochs=2, verbose=0)
    pixels = images(10, seed=1)
    expected = model.encoder(pixels.astype("float32") / 255, training=False)
    np.testing.assert_allclose(
        model.predict(pixels, verbose=0), expected, rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(
        model.predict(pixels.astype("float32") / 255, verbose=0),
        expected,
        rtol=1e-5,
        atol=1e-6,
    )


def test_predict_moves_no_statistics():
    model = small_model()
    before = weights_of(model)
    model.predict(images(), verbose=0)
    model.evaluate(images(), batch_size=12, verbose=0)
    for one, other in zip(before, weights_of(model), strict=True):
        np.testing.assert_array_equal(one, other)


def test_evaluate_gives_the_same_number_every_time():
    model = small_model()
    model.fit(images(), batch_size=12, epochs=1, verbose=0)
    first = model.evaluate(images(), batch_size=12, verbose=0)
    second = model.evaluate(images(), batch_size=12, verbose=0)
    assert first == second


def test_validation_data_is_evaluated():
    model = small_model()
    labels = np.zeros(24, "int32")
    others = images(seed=1)
    for validation in (others, (others,), (others, labels)):
        history = model.fit(
            images(),
            labels,
            batch_size=12,
            validation_data=validation,
            verbose=0,
        ).history
        expected = model.evaluate(
            images(seed=1), batch_size=12, return_dict=True, verbose=0
        )
        np.testing.assert_allclose(
            history["val_loss"][-1], expected["loss"], rtol=1e-5
        )


def test_validation_images_that_are_few_are_one_batch():
    model = small_model()
    few = images(10, seed=1)

    def loss(**arguments):
        history = model.fit(
            images(), validation_data=few, verbose=0, **arguments
        )
        return history.history["val_loss"][0]

    found = loss(batch_size=12)
    expected = model.evaluate(few, batch_size=10, verbose=0)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    found = loss(batch_size=12, validation_batch_size=5)
    expected = model.evaluate(few, batch_size=5, verbose=0)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    with pytest.raises(ValueError, match="`validation_split` must be left"):
        model.fit(images(), validation_split=0.1)


def test_same_seed_same_weights_other_seed_others():
    first, second, third = (small_model(seed=s) for s in (3, 3, 4))
    for model in (first, second, third):
        model.fit(images(), batch_size=8, epochs=2, verbose=0)
    assert_same_weights(first, second, rtol=1e-5, atol=1e-6)
    with pytest.raises(AssertionError):
        assert_same_weights(first, third, rtol=1e-2)


def test_an_interrupted_run_goes_on_as_if_it_were_not(tmp_path):
    whole = small_model()
    whole.fit(images(), batch_size=8, epochs=4, verbose=0)
    part = small_model()
    part.fit(images(), batch_size=8, epochs=2, verbose=0)
    part.save(tmp_path / "model.keras")
    rest = keras.saving.load_model(tmp_path / "model.keras")
    rest.fit(images(), batch_size=8, epochs=4, initial_epoch=2, verbose=0)
    assert int(rest.step) == int(whole.step) == 12
    assert_same_weights(whole, rest, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("projector", ["linear", "mlp", None])
def test_save_and_load(tmp_path, projector):
    model = small_model(projector=projector, seed=7, view_order="view_major")
    model.fit(images(), batch_size=12, epochs=1, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for name in ("seed", "view_order", "temperature", "policies"):
        assert getattr(loaded, name) == getattr(model, name)
    pixels = images(9, seed=2)
    np.testing.assert_array_equal(
        loaded.predict(pixels, verbose=0), model.predict(pixels, verbose=0)
    )
    np.testing.assert_allclose(
        loaded.evaluate(images(), batch_size=12, verbose=0),
        model.evaluate(images(), batch_size=12, verbose=0),
        rtol=1e-6,
    )


@pytest.mark.parametrize(
    "kinds", [("synchronized", "batch"), ("batch", "synchronized")]
)
def test_a_checkpoint_of_several_devices_is_one_of_one(tmp_path, kinds):
    """Of one replica both are the same; files name layers by their class."""
    began, goes_on = (
        small_model(eager=True, projector="mlp", normalization=kind)
        for kind in kinds
    )
    began.fit(images(), batch_size=8, verbose=0)
    began.save_weights(tmp_path / "checkpoint.weights.h5")
    goes_on.optimizer.build(goes_on.trainable_variables)
    goes_on.load_weights(tmp_path / "checkpoint.weights.h5")
    variables = zip(
        [*began.variables, *began.optimizer.variables],
        [*goes_on.variables, *goes_on.optimizer.variables],
        strict=True,
    )
    for wanted, found in variables:
        np.testing.assert_array_equal(
            *map(ops.convert_to_numpy, (found, wanted))
        )


def test_named_and_paired_policies_train():
    model = small_model(views=["simclr", views.policy("moco_v2")])
    assert model.num_views == 2
    history = model.fit(images(), batch_size=12, epochs=1, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    batch = {"images": images(4), "positions": np.arange(4, dtype="int32")}
    both = model.make_views(batch, 0)
    second = views.policy("moco_v2")(images(4), seed=0, step=0, view=1)
    np.testing.assert_array_equal(both[1::2], second)


def test_stock_callbacks(tmp_path):
    model = small_model()
    path = tmp_path / "best.keras"
    model.fit(
        images(),
        batch_size=12,
        epochs=3,
        validation_data=images(seed=1),
        callbacks=[
            keras.callbacks.ModelCheckpoint(path, monitor="val_loss"),
            keras.callbacks.CSVLogger(tmp_path / "log.csv"),
            keras.callbacks.EarlyStopping(monitor="loss", patience=9),
            keras.callbacks.TerminateOnNaN(),
            keras.callbacks.BackupAndRestore(tmp_path / "backup"),
        ],
        verbose=0,
    )
    loaded = keras.saving.load_model(path)
    assert_same_weights(model, loaded)
    rows = (tmp_path / "log.csv").read_text().splitlines()
    assert len(rows) == 4 and "contrastive_accuracy" in rows[0]


def test_other_data_than_arrays():
    tf = pytest.importorskip("tensorflow")
    batches = data.batches(images(), 8, order="sequential")
    datasets = {
        "batches": batches,
        "images": tf.data.Dataset.from_tensor_slices(images()).batch(8),
        "with labels": tf.data.Dataset.from_tensor_slices(
            (images(), np.arange(24))
        ).batch(8),
    }
    losses_of = {
        name: small_model().fit(given, verbose=0).history["loss"][0]
        for name, given in datasets.items()
    }
    expected = losses_of.pop("batches")
    for name, loss in losses_of.items():
        np.testing.assert_allclose(loss, expected, rtol=1e-5, err_msg=name)


def test_order_of_views_does_not_change_the_loss():
    """Without splits the rows' order is of no consequence."""
    history = [
        small_model(view_order=order)
        .fit(images(), batch_size=12, epochs=3, verbose=0)
        .history["loss"]
        for order in ("image_major", "view_major")
    ]
    np.testing.assert_allclose(*history, rtol=1e-4)


def test_ids_travel_to_the_normalization():
    ids = np.arange(24, dtype="int32") % 3
    normalization = layers.SplitBatchNormalization(
        3, "ids", split_statistics=True, split_affine=True
    )
    model = small_model(normalization=normalization)
    bright = images()
    bright[ids == 2] //= 4
    batches = data.batches(bright, 12, split_ids=ids)
    model.fit(batches, epochs=3, verbose=0)
    split = next(
        layer
        for layer in model.encoder.layers
        if isinstance(layer, layers.SplitBatchNormalization)
    )
    means = ops.convert_to_numpy(split.moving_mean)
    assert means.shape == (3, 4)
    assert np.abs(means[2]).max() < np.abs(means[:2]).max()
    assert np.abs(means[0] - means[2]).max() > 1e-2


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_trains_finite(policy):
    keras.config.set_dtype_policy(policy)
    try:
        model = small_model()
        history = model.fit(images(), batch_size=12, epochs=3, verbose=0)
    finally:
        keras.config.set_dtype_policy("float32")
    assert np.isfinite(history.history["loss"]).all()
    assert all(np.isfinite(weight).all() for weight in weights_of(model))


def test_regularizers_count():
    def model(strength):
        keras.utils.set_random_seed(0)
        inputs = keras.Input((8, 8, 3))
        outputs = keras.layers.GlobalAveragePooling2D()(
            keras.layers.Conv2D(
                4, 3, kernel_regularizer=keras.regularizers.L2(strength)
            )(inputs)
        )
        simclr = models.SimCLR(keras.Model(inputs, outputs), projector=None)
        simclr.compile(optimizer=keras.optimizers.SGD(0.1))
        before = simclr.evaluate(images(), batch_size=24, verbose=0)[0]
        simclr.fit(images(), batch_size=24, epochs=5, verbose=0)
        return before, float(ops.sum(ops.square(simclr.encoder.weights[0])))

    with_penalty, small = model(1.0)
    without, large = model(0.0)
    assert small < 0.5 * large
    keras.utils.set_random_seed(0)
    kernel = keras.layers.Conv2D(4, 3)
    kernel.build((None, 8, 8, 3))
    penalty = float(ops.sum(ops.square(kernel.kernel)))
    assert with_penalty - without == pytest.approx(penalty, rel=1e-4)


class Unfinished(models.ContrastiveModel):
    pass


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"temperature": 0.0}, "`temperature`.*0.0"),
        ({"chunk_size": 0}, "`chunk_size`.*0"),
        ({"views": "nothing"}, "nothing"),
        ({"views": ["simclr"]}, "2 or more"),
        ({"num_views": 3}, "at most 2 views, received 3"),
        ({"projector": "deep"}, "deep"),
        ({"view_order": "random"}, "`view_order`.*random"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        small_model(**arguments)


def test_an_encoder_without_feature_vectors_is_refused():
    inputs = keras.Input((8, 8, 3))
    maps = keras.Model(inputs, keras.layers.Conv2D(4, 3)(inputs))
    with pytest.raises(ValueError, match=r"\(None, 6, 6, 4\)"):
        models.SimCLR(maps)


def test_slips_in_fit_are_refused():
    model = small_model()
    with pytest.raises(ValueError, match="`batch_size`.*0"):
        model.fit(images(), batch_size=0)
    with pytest.raises(ValueError, match="tuple of 3"):
        model.fit(images(), validation_data=(images(), None, None))


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (images().astype("int64"), "int64"),
        (images().astype("float32"), r"\[0, 1\]"),
        (images()[0], "3"),
    ],
)
def test_bad_images_are_refused(pixels, message):
    with pytest.raises(ValueError, match=message):
        small_model().fit(pixels, batch_size=4, verbose=0)


@pytest.mark.parametrize(
    "pixels", [images().astype("float32"), {"images": images() / 2}]
)
def test_predict_and_evaluate_refuse_what_fit_refuses(pixels):
    model = small_model(eager=True)
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        model.predict(pixels, verbose=0)
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        model.evaluate(pixels, verbose=0)


@pytest.mark.parametrize("projector", ["mlp", None])
def test_projections_of_features(projector):
    model = small_model(projector=projector)
    features = model.predict(images(10), verbose=0)
    expected = features if projector is None else model.projector(features)
    for size in (None, 4):
        found = model.predict_projections(features, size)
        assert isinstance(found, np.ndarray)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_a_model_without_a_method_says_so():
    encoder = encoders.two_conv(input_shape=(8, 8, 3), channels=(4, 6))
    model = Unfinished(encoder)
    with pytest.raises(NotImplementedError, match="Unfinished"):
        model.contrastive_step({}, training=True)
