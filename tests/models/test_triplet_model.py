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


def triplet_model(**kwargs):
    return small_model(models.TripletModel, **kwargs)


def unit(vectors):
    vectors = ops.convert_to_numpy(vectors)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("supervised", [True, False])
@pytest.mark.parametrize("mining", ["nonzero", "semi_hard", "hard"])
def test_the_first_step_by_hand(supervised, mining):
    pixels, labels = images(6), np.array([0, 0, 1, 1, 2, 2])
    options = {"supervised": supervised, "mining": mining, "margin": 0.5}
    model = triplet_model(**options)
    views = views_of(model, pixels, 0)
    stacked = ops.reshape(ops.stack(views, axis=1), (-1, 8, 8, 3))
    embeddings = unit(model.projector(model.encoder(stacked, training=True)))
    own = np.repeat(labels if supervised else np.arange(6), 2)
    expected = losses.Triplet(0.5, mining=mining)(own, embeddings)
    history = (
        triplet_model(**options)
        .fit(pixels, labels, batch_size=6, shuffle=False, verbose=0)
        .history
    )
    np.testing.assert_allclose(history["loss"][0], expected, rtol=1e-4)
    active, every = (
        losses.triplet(own, embeddings, 0.5, mining=rule, with_weights=True)[1]
        for rule in ("nonzero", "all")
    )
    share = np.sum(active) / np.sum(every)
    np.testing.assert_allclose(history["active_triplets"][0], share, rtol=1e-4)


def test_given_triplets():
    tf = pytest.importorskip("tensorflow")
    batch = {
        "images": images(6),
        "positive_images": images(6, seed=1),
        "negative_images": images(6, seed=2),
        "positions": np.arange(6, dtype="int32"),
    }
    dataset = tf.data.Dataset.from_tensors(batch)
    model = triplet_model(margin=0.5)
    stacked = model.make_views(batch, 0)
    assert stacked.shape == (18, 8, 8, 3)
    embeddings = unit(model.projector(model.encoder(stacked, training=True)))
    rows = losses.given_triplet(
        embeddings[0::3], embeddings[1::3], embeddings[2::3], 0.5
    )
    history = triplet_model(margin=0.5).fit(dataset, verbose=0).history
    np.testing.assert_allclose(history["loss"][0], np.mean(rows), rtol=1e-4)
    active = np.mean(np.asarray(rows) > 0)
    np.testing.assert_allclose(history["active_triplets"][0], active)


@pytest.mark.parametrize("margin", [0.5, None])
def test_it_learns_classes(margin):
    pixels = images()
    pixels[LABELS == 1] //= 2
    pixels[LABELS == 2] //= 4
    history = (
        triplet_model(margin=margin, eager=False)
        .fit(pixels, LABELS, batch_size=12, epochs=20, verbose=0)
        .history
    )
    active = history["active_triplets"]
    assert np.mean(active[-3:]) < np.mean(active[:3]) - 0.02
    assert np.mean(history["loss"][-3:]) < np.mean(history["loss"][:3])


def test_a_batch_without_triplets_changes_nothing():
    model = triplet_model()
    history = model.fit(
        images(), np.arange(24), batch_size=12, verbose=0
    ).history
    # Each image is alone in its class, but its two views are not.
    assert history["loss"][0] > 0
    one_class = triplet_model().fit(
        images(), np.zeros(24, "int32"), batch_size=12, verbose=0
    )
    assert one_class.history["loss"] == [0.0]
    assert one_class.history["active_triplets"] == [0.0]


def test_save_load_and_resume(tmp_path):
    model = triplet_model(
        margin=None, distance="cosine", mining="hard", normalize=False
    )
    model.fit(images(), LABELS, batch_size=8, verbose=0)
    loaded = check_round_trip(
        model, tmp_path / "model.keras", images(), y=LABELS
    )
    for name in ("margin", "distance", "mining", "normalize", "supervised"):
        assert getattr(loaded, name) == getattr(model, name)
    check_resume(triplet_model, tmp_path / "part.keras", images(), y=LABELS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"margin": -1.0}, "`margin`.*-1.0"),
        ({"distance": "l1"}, "`distance`.*'l1'"),
        ({"mining": "soft"}, "`mining`.*'soft'"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        triplet_model(**arguments)


def test_images_without_labels_are_refused():
    with pytest.raises(ValueError, match="TripletModel learns from labels"):
        triplet_model().fit(images(), batch_size=12, verbose=0)
    self_supervised = triplet_model(supervised=False)
    self_supervised.fit(images(), batch_size=12, verbose=0)


def triplets(count=24):
    names = ("images", "positive_images", "negative_images")
    return {name: images(count, seed=i) for i, name in enumerate(names)}


def test_given_triplets_as_arrays_come_in_the_seeded_order():
    arrays, options = triplets(), {"epochs": 2, "verbose": 0}
    columns = {name: arrays[name] for name in list(arrays)[1:]}
    batches = data.batches(arrays["images"], 8, columns=columns, seed=5)
    histories = [
        triplet_model(seed=5).fit(arrays, batch_size=8, **options).history,
        triplet_model(seed=5).fit(batches, **options).history,
    ]
    assert histories[0] == histories[1]
    unshuffled = triplet_model(seed=5)
    unshuffled.fit(arrays, batch_size=8, shuffle=False, **options)
    assert unshuffled.history.history != histories[0]
    assert int(unshuffled.step) == 6


def test_given_triplets_as_arrays_are_evaluated():
    arrays, model = triplets(), triplet_model()
    loss = model.evaluate(arrays, batch_size=8, verbose=0)[0]
    parts = [
        {name: each[start : start + 8] for name, each in arrays.items()}
        for start in (0, 8, 16)
    ]
    alone = [model.evaluate(each, verbose=0)[0] for each in parts]
    assert np.ptp(alone) > 1e-3
    np.testing.assert_allclose(loss, np.mean(alone), rtol=1e-5)


@pytest.mark.parametrize("name", ["positive_images", "negative_images"])
def test_half_given_triplets_are_refused(name):
    arrays = triplets(6)
    short = arrays | {name: arrays[name][:5]}
    with pytest.raises(ValueError, match=f"`{name}`.*equally long.*5"):
        triplet_model().fit(short, verbose=0)
    del arrays[name]
    with pytest.raises(ValueError, match=f"received no `{name}`"):
        triplet_model().fit(arrays, LABELS[:6], verbose=0)


def test_a_dict_without_images_is_refused():
    arrays = triplets(6)
    del arrays["images"]
    with pytest.raises(ValueError, match="`images` among them"):
        triplet_model().fit(arrays, verbose=0)
