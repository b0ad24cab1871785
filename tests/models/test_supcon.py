import numpy as np
import pytest
from keras import ops

from keras_contrastive import data
from keras_contrastive import losses
from keras_contrastive import models
from tests.models.checks import check_resume
from tests.models.checks import check_round_trip
from tests.models.checks import images
from tests.models.checks import small_model
from tests.models.checks import views_of

LABELS = np.arange(24, dtype="int32") % 4


def supcon(**kwargs):
    return small_model(models.SupCon, **kwargs)


def test_the_first_step_by_hand():
    model, pixels = supcon(), images(6)
    labels = np.array([0, 0, 1, 1, 2, 2])
    views = views_of(model, pixels, 0)
    stacked = ops.reshape(ops.stack(views, axis=1), (-1, 8, 8, 3))
    embeddings = model.projector(model.encoder(stacked, training=True))
    rows = losses.supervised_contrastive(np.repeat(labels, 2), embeddings)
    history = supcon().fit(
        pixels, labels, batch_size=6, shuffle=False, verbose=0
    )
    loss = history.history["loss"][0]
    np.testing.assert_allclose(loss, np.mean(rows), rtol=1e-4)


def test_one_image_a_class_is_simclr():
    labels = np.arange(24)
    ours = supcon(temperature=0.2)
    simclr = small_model(models.SimCLR, temperature=0.2)
    options = {"batch_size": 12, "epochs": 3, "verbose": 0}
    np.testing.assert_allclose(
        ours.fit(images(), labels, **options).history["loss"],
        simclr.fit(images(), **options).history["loss"],
        rtol=1e-4,
    )


def test_it_learns_classes():
    pixels = images()
    pixels[LABELS == 1] //= 2
    pixels[LABELS == 2] //= 4
    history = (
        supcon(eager=False)
        .fit(pixels, LABELS, batch_size=12, epochs=20, verbose=0)
        .history
    )
    accuracy = history["neighbour_accuracy"]
    assert np.mean(accuracy[-3:]) > np.mean(accuracy[:3])
    assert np.mean(history["loss"][-3:]) < np.mean(history["loss"][:3])


def test_three_views():
    model = supcon(num_views=3)
    history = model.fit(images(), LABELS, batch_size=12, verbose=0)
    assert np.isfinite(history.history["loss"]).all()


def test_save_load_and_resume(tmp_path):
    model = supcon(temperature=0.3)
    model.fit(images(), LABELS, batch_size=8, verbose=0)
    loaded = check_round_trip(
        model, tmp_path / "model.keras", images(), y=LABELS
    )
    assert loaded.temperature == 0.3
    check_resume(supcon, tmp_path / "part.keras", images(), y=LABELS)


def test_images_without_labels_are_refused():
    with pytest.raises(ValueError, match="SupCon learns from labels"):
        supcon().fit(images(), batch_size=12, verbose=0)
    with pytest.raises(ValueError, match="SupCon learns from labels"):
        supcon().fit(data.batches(images(), 12), verbose=0)
    with pytest.raises(ValueError, match="`temperature`.*0"):
        supcon(temperature=0)
