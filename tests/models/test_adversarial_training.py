import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive import encoders
from keras_contrastive import export
from keras_contrastive import layers
from keras_contrastive import losses
from keras_contrastive import models
from tests.models import checks
from tests.models.checks import check_resume
from tests.models.checks import check_round_trip
from tests.models.checks import images
from tests.models.checks import small_model
from tests.models.checks import views_of
from tests.models.checks import weights_of

# Tests train on fewer images than any queue is meant for.
pytestmark = pytest.mark.filterwarnings("ignore:The queue holds")

METHODS = {
    "simclr": (models.SimCLR, {}),
    "moco": (models.MoCo, {"queue_size": 24}),
    "symmetric_moco": (models.MoCo, {"queue_size": 24, "symmetric": True}),
}
RANDOM = models.Adversary(0.05, share=0.5, random_start=True)
ALL = pytest.mark.parametrize("method", METHODS)


def adversarial(method="simclr", adversary=None, **kwargs):
    kind, options = METHODS[method]
    adversary = adversary or models.Adversary(0.05)
    return small_model(kind, **{"adversary": adversary, **options, **kwargs})


def fit(model, count=12, **kwargs):
    options = {"batch_size": count, "shuffle": False, "verbose": 0}
    return model.fit(images(count), **{**options, **kwargs}).history


def adversarial_loss(history, weight=1.0):
    return (history["loss"][0] - history["clean_loss"][0]) / weight


def normalizations(model):
    layers_of = model.encoder.layers + model.projector.layers
    return [
        each
        for each in layers_of
        if isinstance(each, keras.layers.BatchNormalization)
    ]


def statistics(model, branch=None):
    return [
        ops.convert_to_numpy(each)[... if branch is None else branch]
        for layer in normalizations(model)
        for each in (layer.moving_mean, layer.moving_variance)
    ]


@ALL
def test_without_strength_the_adversarial_loss_is_the_clean_one(method):
    # Normalization that knows no batch, so that both see the same.
    adversary = models.Adversary(epsilon=0.0, weight=3.0)
    model = adversarial(method, adversary, normalization="group")
    history = fit(model)
    np.testing.assert_allclose(
        adversarial_loss(history, 3.0), history["clean_loss"][0], rtol=1e-5
    )


@ALL
def test_the_attack_raises_the_loss_and_more_steps_raise_it_more(method):
    def loss(**kwargs):
        adversary = models.Adversary(**kwargs)
        model = adversarial(method, adversary, normalization="group")
        return adversarial_loss(fit(model))

    clean, fgsm = loss(epsilon=0.0), loss(epsilon=0.05)
    pgd = loss(epsilon=0.05, steps=5)
    assert clean < fgsm < pgd


def test_the_first_step_by_hand():
    adversary = models.Adversary(0.04, share=0.5, weight=0.7)
    model = adversarial("simclr", adversary, normalization="group")
    first, second = (np.asarray(view) for view in views_of(model, images(6), 0))
    rows = np.asarray(adversary.choose(np.arange(6, dtype="int32"), 0, 0))
    assert len(rows) == 3

    def z(pixels):
        return ops.convert_to_numpy(model.projector(model.encoder(pixels)))

    def loss(changed):
        z_1, z_2 = z(first), z(changed)
        both = losses.nt_xent(z_1, z_2, model.temperature)
        return float(np.mean(ops.convert_to_numpy(both)[np.r_[rows, rows + 6]]))

    attacked = second.copy()
    attacked[rows] = second_attacked(model, adversary, first, second, rows)
    clean, expected = loss(second), loss(attacked)
    assert expected > clean + 0.1
    history = fit(model, 6)
    np.testing.assert_allclose(
        adversarial_loss(history, 0.7), expected, rtol=1e-4
    )


def second_attacked(model, adversary, first, second, rows):
    """The attack by TensorFlow's gradient of the loss by hand."""
    tf = pytest.importorskip("tensorflow")
    changed = tf.Variable(second)
    with tf.GradientTape() as tape:
        z_1, z_2 = (
            model.projector(model.encoder(each)) for each in (first, changed)
        )
        both = losses.nt_xent(z_1, z_2, model.temperature)
        value = tf.reduce_sum(tf.gather(both, np.r_[rows, rows + 6]))
    gradient = tape.gradient(value, changed).numpy()
    moved = second + adversary.epsilon * np.sign(gradient)
    return np.clip(moved, 0, 1)[rows]


def test_the_gradient_of_images_is_that_of_finite_differences():
    model = adversarial(normalization="group")
    pixels = np.asarray(views_of(model, images(2), 0)[0])
    weights = np.random.default_rng(0).normal(size=(2, 6)).astype("float32")

    def value(pixels):
        return ops.sum(model.encode(pixels) * weights)

    gradient = model.input_gradient(value, ops.convert_to_tensor(pixels))
    gradient = ops.convert_to_numpy(gradient)
    assert gradient.shape == pixels.shape
    generator = np.random.default_rng(1)
    for _ in range(20):
        direction = generator.normal(size=pixels.shape).astype("float32")
        shift = 1e-3 * direction
        slope = float(value(pixels + shift)) - float(value(pixels - shift))
        np.testing.assert_allclose(
            np.sum(gradient * direction), slope / 2e-3, rtol=0.05, atol=2e-3
        )


@ALL
def test_the_main_branch_is_that_of_training_without_adversary(method):
    options = {"projector": "mlp"}
    model = adversarial(method, models.Adversary(0.05, steps=3), **options)
    kind, own = METHODS[method]
    plain = small_model(kind, **own, **options)
    for layer in normalizations(model):
        assert layer.moving_mean.shape[0] == 2
    fit(plain)
    fit(model)
    for ours, theirs in zip(statistics(model, 0), statistics(plain)):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
    if method == "simclr":
        return
    np.testing.assert_allclose(
        ops.convert_to_numpy(model.queue.vectors),
        ops.convert_to_numpy(plain.queue.vectors),
        rtol=1e-3,
        atol=1e-5,
    )
    assert int(model.queue.position) == int(plain.queue.position)


def test_the_attack_leaves_no_trace():
    one, many = (
        adversarial(adversary=models.Adversary(0.0, steps=steps, step_size=0.1))
        for steps in (1, 4)
    )
    # With no room to move, the attack is all passes and no change.
    fit(one)
    fit(many)
    for first, second in zip(weights_of(one), weights_of(many), strict=True):
        np.testing.assert_array_equal(first, second)
    start = adversarial()
    for was, now in zip(statistics(start, 1), statistics(many, 1)):
        assert np.abs(was - now).max() > 1e-3


def test_the_adversarial_branch_moves_by_the_adversarial_views():
    adversary = models.Adversary(0.05, steps=2, share=0.5)
    model = adversarial(adversary=adversary)
    seen = []
    attack = adversary.attack
    adversary.attack = lambda *args, **kwargs: (
        seen.append(attack(*args, **kwargs)) or seen[-1]
    )
    conv = model.encoder.get_layer("conv_1")
    kernel = ops.copy(conv.kernel.value)
    fit(model)
    (views,) = seen
    assert views.shape == (6, 8, 8, 3)
    hidden = ops.conv(views, kernel, strides=2, padding="same")
    expected = 0.1 * np.mean(ops.convert_to_numpy(hidden), axis=(0, 1, 2))
    found = ops.convert_to_numpy(
        model.encoder.get_layer("normalization_1").moving_mean
    )
    np.testing.assert_allclose(found[1], expected, rtol=1e-4, atol=1e-6)
    assert np.abs(found[1] - found[0]).max() > 1e-4


def test_parameters_learn_from_adversaries():
    without, with_them = (
        adversarial(adversary=models.Adversary(0.05, weight=weight))
        for weight in (0.0, 1.0)
    )
    for model in (without, with_them):
        fit(model)
    kernels = [
        ops.convert_to_numpy(each.encoder.get_layer("conv_1").kernel)
        for each in (without, with_them)
    ]
    assert np.abs(kernels[0] - kernels[1]).max() > 1e-4


def test_features_evaluation_and_export_are_of_the_main_branch():
    model = adversarial(projector="mlp")
    fit(model, epochs=4)
    pixels = images(6, seed=1)
    floats = pixels.astype("float32") / 255
    zeros = ops.zeros((6,), "int32")
    tensors = ops.convert_to_tensor(floats)
    expected = ops.convert_to_numpy(model.encoder([tensors, zeros]))
    mean = ops.convert_to_numpy(model.encoder(floats))
    assert np.abs(expected - mean).max() > 1e-3
    for found in (
        model.predict(pixels, verbose=0),
        model(pixels),
        model.encode(floats),
        model({"images": tensors, "split_ids": zeros + 1}),
        export.encoder(model).predict(pixels, verbose=0),
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    found = model.predict_projections(expected)
    features = ops.convert_to_tensor(expected)
    projections = model.projector([features, zeros])
    np.testing.assert_allclose(found, projections, rtol=1e-4, atol=1e-5)
    assert np.abs(found - model.projector(expected)).max() > 1e-3
    z_1, z_2 = (
        model.projector([model.encoder([view, zeros]), zeros])
        for view in views_of(model, pixels, 0)
    )
    rows = losses.nt_xent(z_1, z_2, model.temperature)
    values = model.evaluate(pixels, batch_size=6, verbose=0, return_dict=True)
    np.testing.assert_allclose(values["loss"], np.mean(rows), rtol=1e-5)
    assert values["clean_loss"] == values["loss"]


@pytest.mark.parametrize("method", ["simclr", "symmetric_moco"])
def test_save_and_load(method, tmp_path):
    model = adversarial(method, RANDOM)
    fit(model)
    loaded = check_round_trip(model, tmp_path / "model.keras", images(12))
    assert loaded.adversary == model.adversary


def test_resume(tmp_path):
    check_resume(
        lambda: adversarial("symmetric_moco", RANDOM),
        tmp_path / "part.keras",
        images(8),
    )


def test_given_models_are_left_as_they_are():
    given = checks.encoder()
    before = weights_of(given)
    model = models.SimCLR(given, adversary=models.Adversary(0.05))
    assert model.encoder is not given and not layers.routes_by_ids(given)
    model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    fit(model)
    for was, now in zip(before, weights_of(given), strict=True):
        np.testing.assert_array_equal(was, now)
    again = models.MoCo(model.encoder, adversary=models.Adversary(0.05))
    assert again.encoder is model.encoder


def test_half_precision_is_attacked_as_well():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        history = fit(adversarial(normalization="group"))
    finally:
        keras.config.set_dtype_policy("float32")
    assert np.isfinite(history["loss"]).all()
    assert adversarial_loss(history) > history["clean_loss"][0] + 1e-3


class Wrapped(keras.layers.Wrapper):
    """Hides a layer from whoever looks at a model's graph."""

    def call(self, inputs, training=None):
        return self.layer(inputs, training=training)


def hidden_normalization():
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.BatchNormalization()(inputs)
    x = Wrapped(keras.layers.BatchNormalization())(x)
    outputs = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, outputs, name="hidden")


@pytest.mark.parametrize(
    "normalization",
    [
        layers.SplitBatchNormalization(3, "ids"),
        layers.SplitBatchNormalization(2, "ids", split_statistics=True),
        layers.SplitBatchNormalization(2, "contiguous"),
        "batch_renorm",
    ],
)
def test_other_normalization_is_refused(normalization):
    with pytest.raises(ValueError, match="`encoder`.*received two_conv"):
        adversarial(normalization=normalization)
    head = layers.projection_head("mlp", 6, normalization=normalization)
    with pytest.raises(ValueError, match="`projector`.*received projector"):
        adversarial(projector=head)


def test_what_cannot_work_is_refused():
    adversary = models.Adversary()
    with pytest.raises(ValueError, match="`encoder`.*received hidden"):
        models.SimCLR(hidden_normalization(), adversary=adversary)
    with pytest.raises(ValueError, match="`adversary`.*0.03"):
        models.SimCLR(checks.encoder(), adversary=0.03)
    with pytest.raises(ValueError, match="`encoder`.*one feature vector"):
        keras_model = keras.Sequential([keras.Input((8, 8, 3))])
        models.SimCLR(keras_model, adversary=adversary)


def test_without_adversary_nothing_is_converted():
    encoder = encoders.two_conv(input_shape=(8, 8, 3), channels=(4, 6))
    model = models.SimCLR(encoder)
    assert model.encoder is encoder and model.inference_split is None
    assert "clean_loss" not in model.trackers
