import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive import data
from keras_contrastive import export
from keras_contrastive import layers
from keras_contrastive import models
from tests.models.checks import assert_same_weights
from tests.models.checks import check_resume
from tests.models.checks import check_round_trip
from tests.models.checks import encoder
from tests.models.checks import images
from tests.models.checks import small_model
from tests.models.checks import views_of
from tests.models.checks import weights_of

LABELS = np.arange(24, dtype="int32") % 4


def classifier(backbone=None, **kwargs):
    backbone = backbone or encoder()
    model = models.Classifier(backbone, **{"num_classes": 4, **kwargs})
    model.compile(
        optimizer=keras.optimizers.SGD(0.1, momentum=0.9), run_eagerly=True
    )
    return model


def shaded():
    """Images whose class is how bright they are."""
    pixels = images()
    for label in range(4):
        pixels[LABELS == label] //= 2**label
    return pixels


def cross_entropy(logits, labels, smoothing=0.0):
    """Row by row, from the definition; and who is right."""
    logits = np.asarray(ops.convert_to_numpy(logits), "float64")
    count = logits.shape[1]
    rows = []
    for row, label in zip(logits, labels):
        probabilities = np.exp(row) / np.exp(row).sum()
        targets = np.full(count, smoothing / count)
        targets[label] += 1 - smoothing
        rows.append(-np.sum(targets * np.log(probabilities)))
    return np.array(rows), logits.argmax(axis=1) == labels


@pytest.mark.parametrize("fine_tune", [False, True])
@pytest.mark.parametrize("num_views", [1, 2])
def test_the_first_step_by_hand(fine_tune, num_views):
    smoothing = 0.2 if fine_tune else 0.0
    model = classifier(
        fine_tune=fine_tune, num_views=num_views, label_smoothing=smoothing
    )
    pixels, labels = images(8), LABELS[:8]
    stacked = ops.concatenate(views_of(model, pixels, 0))
    features = model.encoder(stacked, training=fine_tune)
    rows, right = cross_entropy(
        model.head(features), np.tile(labels, num_views), smoothing
    )
    history = model.fit(
        pixels, labels, batch_size=8, shuffle=False, verbose=0
    ).history
    np.testing.assert_allclose(history["loss"][0], rows.mean(), rtol=1e-4)
    np.testing.assert_allclose(history["accuracy"][0], right.mean(), rtol=1e-5)


def test_alike_logits_give_the_log_of_the_classes():
    model = classifier(num_classes=5)
    for variable in model.head.variables:
        variable.assign(0 * variable)
    loss, _ = model.evaluate(images(), LABELS, verbose=0)
    np.testing.assert_allclose(loss, np.log(5), rtol=1e-6)
    probabilities = model.predict(images(3), verbose=0)
    np.testing.assert_allclose(probabilities, np.full((3, 5), 0.2), rtol=1e-6)


@pytest.mark.parametrize("batch_size", [7, 24, 100])
def test_evaluation_is_of_all_images_as_they_are(batch_size):
    model = classifier(label_smoothing=0.1)
    model.fit(shaded(), LABELS, batch_size=8, epochs=3, verbose=0)
    loss, accuracy = model.evaluate(
        shaded(), LABELS, batch_size=batch_size, verbose=0
    )
    features = model.encoder(shaded() / np.float32(255), training=False)
    logits = model.head(features)
    rows, right = cross_entropy(logits, LABELS, 0.1)
    np.testing.assert_allclose(loss, rows.mean(), rtol=1e-5)
    np.testing.assert_allclose(accuracy, right.mean(), rtol=1e-6)
    probabilities = model.predict(shaded(), verbose=0)
    np.testing.assert_allclose(
        probabilities, ops.softmax(logits), rtol=1e-4, atol=1e-6
    )
    np.testing.assert_array_equal(probabilities.argmax(axis=1) == LABELS, right)


def test_validation_data_are_all_images_as_they_are():
    model = classifier()
    history = model.fit(
        images(), LABELS, batch_size=8, verbose=0,
        validation_data=(shaded()[:11], LABELS[:11]),
    ).history  # fmt: skip
    loss, accuracy = model.evaluate(shaded()[:11], LABELS[:11], verbose=0)
    np.testing.assert_allclose(history["val_loss"][0], loss, rtol=1e-5)
    np.testing.assert_allclose(history["val_accuracy"][0], accuracy, rtol=1e-6)


def trained_encoder(normalization):
    backbone = encoder(normalization)
    model = models.SimCLR(backbone, projector="linear", views="weak")
    model.compile(optimizer=keras.optimizers.SGD(0.1), run_eagerly=True)
    model.fit(images(), batch_size=12, verbose=0)
    return backbone


@pytest.mark.parametrize("normalization", ["batch", "batch_renorm", "split"])
def test_a_probe_leaves_its_encoder_alone(normalization):
    if normalization == "split":
        normalization = layers.SplitBatchNormalization(2, "contiguous")
    backbone = trained_encoder(normalization)
    model = classifier(backbone)
    # Decay, too, must not reach it.
    model.compile(
        optimizer=keras.optimizers.AdamW(0.1, weight_decay=0.1),
        run_eagerly=True,
    )
    head = weights_of(model.head)
    model.fit(images(), LABELS, batch_size=8, epochs=2, verbose=0)
    assert [each.path for each in model.trainable_variables] == [
        each.path for each in model.head.trainable_variables
    ]
    assert_same_weights(model.encoder, backbone, rtol=0, atol=0)
    for before, after in zip(head, weights_of(model.head), strict=True):
        assert np.abs(after - before).max() > 0


@pytest.mark.parametrize("fine_tune", [False, True])
def test_dropout_of_the_encoder_is_at_rest_in_a_probe(fine_tune):
    pixels = keras.Input((8, 8, 3))
    x = keras.layers.GlobalAveragePooling2D()(pixels)
    backbone = keras.Model(pixels, keras.layers.Dropout(0.5)(x))
    model = classifier(backbone, fine_tune=fine_tune)
    batch = {"views": images() / np.float32(255), "labels": LABELS}
    first, second = (model.contrastive_step(batch, True)[0] for _ in range(2))
    assert np.array_equal(first, second) is not fine_tune


def test_fine_tuning_trains_everything_and_leaves_the_original_alone():
    backbone = trained_encoder("batch")
    backbone.trainable = False
    before = weights_of(backbone)
    model = classifier(backbone, fine_tune=True)
    assert len(model.trainable_variables) == 6 + 2
    model.fit(images(), LABELS, batch_size=8, verbose=0)
    for start, same, moved in zip(
        before, weights_of(backbone), weights_of(model.encoder), strict=True
    ):
        np.testing.assert_array_equal(start, same)
        assert np.abs(moved - start).max() > 0
    assert not backbone.trainable


def test_a_classifier_of_a_frozen_encoder_does_not_thaw_it():
    backbone = encoder()
    classifier(backbone)
    assert backbone.trainable and len(backbone.trainable_variables) == 6


@pytest.mark.parametrize("fine_tune", [False, True])
def test_it_learns_classes(fine_tune):
    # Once in a graph, once eagerly.
    model = classifier(fine_tune=fine_tune, views="identity")
    optimizer = keras.optimizers.Adam(0.03)
    model.compile(optimizer=optimizer, run_eagerly=fine_tune)
    _, before = model.evaluate(shaded(), LABELS, verbose=0)
    model.fit(shaded(), LABELS, batch_size=24, epochs=40, verbose=0)
    _, after = model.evaluate(shaded(), LABELS, verbose=0)
    assert after > 0.7 and after > before + 0.3


def test_splits_by_id():
    backbone = encoder(
        layers.SplitBatchNormalization(2, "ids", split_statistics=True)
    )
    ids = np.arange(24, dtype="int32") % 2
    model = classifier(backbone, fine_tune=True, num_views=2)
    batches = data.batches(images(), 12, labels=LABELS, split_ids=ids)
    model.fit(batches, verbose=0)
    batch = {"images": images(), "split_ids": ids}
    with_ids, without = model(batch), model(images())
    assert np.abs(np.subtract(with_ids, without)).max() > 1e-6


def test_save_load_and_resume(tmp_path):
    def fine_tuned():
        return classifier(fine_tune=True, label_smoothing=0.1)

    model = classifier(num_classes=7, label_smoothing=0.2)
    model.fit(images(), LABELS, batch_size=8, verbose=0)
    path = tmp_path / "model.keras"
    loaded = check_round_trip(model, path, images(), y=LABELS)
    for name in ("fine_tune", "num_classes", "label_smoothing"):
        assert getattr(loaded, name) == getattr(model, name)
    assert len(loaded.trainable_variables) == 2  # The head's.
    check_resume(fine_tuned, tmp_path / "part.keras", images(), y=LABELS)


def test_the_exported_encoder_is_the_fine_tuned_one():
    backbone = encoder()
    model = classifier(backbone, fine_tune=True)
    model.fit(images(), LABELS, batch_size=8, verbose=0)
    found = export.encoder(model).predict(images(), verbose=0)
    scaled = images() / np.float32(255)
    np.testing.assert_allclose(
        found, model.encode(scaled), rtol=1e-4, atol=1e-6
    )
    assert not np.allclose(found, backbone(scaled), rtol=1e-3)


@pytest.mark.parametrize("adversary", [None, models.Adversary(0.1)])
def test_a_model_stands_for_its_encoder(adversary):
    simclr = small_model(models.SimCLR, adversary=adversary)
    simclr.fit(images(), batch_size=12, epochs=3, verbose=0)
    model = classifier(simclr)
    scaled = images() / np.float32(255)
    features = simclr.predict(images(), verbose=0)
    np.testing.assert_allclose(
        model.encode(scaled), features, rtol=1e-4, atol=1e-5
    )
    model.fit(images(), LABELS, batch_size=8, verbose=0)
    np.testing.assert_array_equal(simclr.predict(images(), verbose=0), features)
    if adversary is not None:
        mean = classifier(simclr.encoder).encode(scaled)
        assert np.abs(mean - features).max() > 1e-3


def test_a_standardized_head_does_not_mind_the_scale_of_features():
    """Features a hundred times larger give the same logits."""
    found = []
    for scale in (1.0, 100.0):
        backbone = encoder()
        scaled = keras.Model(
            backbone.inputs, keras.layers.Rescaling(scale)(backbone.output)
        )
        model = classifier(scaled, head="standardized")
        model.head.get_layer("logits").set_weights(
            [np.arange(24.0).reshape(6, 4) % 5, np.zeros(4)]
        )
        features = model.encode(images() / np.float32(255))
        found.append(model.head(features, training=True))
    np.testing.assert_allclose(*found, rtol=1e-2, atol=3e-2)


def test_a_head_of_ones_own():
    head = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(5, activation="relu"),
            keras.layers.Dense(4),
        ]
    )
    model = classifier(head=head)
    model.fit(images(), LABELS, batch_size=8, verbose=0)
    assert model.head is head
    assert len(model.trainable_variables) == 4


def test_half_precision_has_float32_losses():
    backbone = encoder()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = classifier(backbone)
        assert model.head.compute_dtype == "bfloat16"
        batch = {
            "views": images(8) / np.float32(255),
            "positions": np.arange(8),
            "labels": LABELS[:8],
        }
        rows = model.contrastive_step(batch, training=False)[0]
        probabilities = model(images(8))
    finally:
        keras.config.set_dtype_policy("float32")
    for each in (rows, probabilities):
        assert keras.backend.standardize_dtype(each.dtype) == "float32"
    # Not those of bfloat16, which sum up to one within a hundredth.
    np.testing.assert_allclose(np.sum(probabilities, axis=1), 1, rtol=1e-6)


def test_a_hundredth_of_the_labels_holds_each_class():
    labels = np.random.default_rng(0).permutation(np.repeat(range(10), 5000))
    for fraction in (0.01, 0.1):
        (few,) = data.split(labels, (fraction,), seed=0)
        counts = np.bincount(labels[few], minlength=10)
        assert counts.tolist() == [5000 * fraction] * 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": 1}, "`num_classes`.*1"),
        ({"label_smoothing": 1.0}, "`label_smoothing`.*1.0"),
        ({"label_smoothing": -0.1}, "`label_smoothing`.*-0.1"),
        ({"head": "mlp"}, "`head`.*4 logits.*mlp"),
        (
            {"head": layers.projection_head("linear", 6, output_dim=3)},
            r"`head`.*4 logits.*\(None, 3\)",
        ),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        classifier(**arguments)


@pytest.mark.parametrize("labels", [None, LABELS + 1])
def test_labels_that_are_missing_or_no_class_are_refused(labels):
    message = "Classifier learns from labels"
    if labels is not None:
        message = "`labels` must be from 0 to 3, received 4"
    model, options = classifier(), {"batch_size": 8, "verbose": 0}
    validation = (images(), labels)
    with pytest.raises(ValueError, match=message):
        model.fit(images(), labels, **options)
    with pytest.raises(ValueError, match=message):
        model.fit(data.batches(images(), 8, labels=labels), verbose=0)
    with pytest.raises(ValueError, match=message):
        model.evaluate(images(), labels, **options)
    with pytest.raises(ValueError, match=message):
        model.fit(images(), LABELS, validation_data=validation, **options)
    assert int(model.step) == 0


def test_labels_of_images_that_are_left_out_may_be_anything():
    rows = np.flatnonzero(LABELS < 2)
    batches = data.batches(images(), 6, labels=LABELS, indices=rows)
    model = classifier(num_classes=2)
    model.fit(batches, verbose=0)
    assert int(model.step) == 2


def test_an_unknown_class_from_elsewhere_is_no_zero():
    tf = pytest.importorskip("tensorflow")
    dataset = tf.data.Dataset.from_tensor_slices((images(), LABELS))
    history = classifier(num_classes=3).fit(dataset.batch(8), verbose=0)
    assert np.isnan(history.history["loss"][0])


def test_one_image_is_enough():
    model = models.Classifier(encoder(), 4, fine_tune=True)
    model.compile(optimizer="sgd", run_eagerly=True)
    one = {"batch_size": 1, "verbose": 0}
    model.fit(images(2, size=8), np.arange(2), **one)
    image = images(1, size=8)
    loss, accuracy = model.evaluate(image, np.zeros(1, int), **one)
    probabilities = model.predict(image, verbose=0)
    assert loss == pytest.approx(-np.log(probabilities[0, 0]), rel=1e-4)
    assert accuracy == (probabilities.argmax() == 0)


def test_one_image_cannot_be_standardized():
    model = models.Classifier(encoder(), 4, head="standardized")
    model.compile(optimizer="sgd", run_eagerly=True)
    with pytest.raises(ValueError, match="`batch_size` .* at least 2"):
        model.fit(images(2), np.arange(2), batch_size=1, verbose=0)
    model.evaluate(images(1), np.zeros(1, int), verbose=0)
