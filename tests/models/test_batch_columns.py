"""What cannot be trained on, evaluated or predicted from is refused."""

import re
import warnings

import keras
import numpy as np
import pytest

from keras_contrastive import data
from keras_contrastive import layers
from keras_contrastive import models
from keras_contrastive import views
from keras_contrastive.models import inputs as model_inputs
from keras_contrastive.models.batch_columns import batch_multiple
from tests.models import checks
from tests.models.checks import images
from tests.models.checks import small_model

COUNT = 24


def routed(num_splits=2, method=models.SimCLR, **kwargs):
    """A model whose images are normalized by the split of their id."""
    by_ids = layers.SplitBatchNormalization(num_splits, "ids")
    return small_model(method, normalization=by_ids, projector=None, **kwargs)


def with_ids(ids, name="split_ids"):
    return {"images": images(COUNT), name: np.asarray(ids)}


@pytest.mark.parametrize("name", ["fit", "evaluate", "predict"])
def test_split_ids_out_of_range_are_refused(name):
    ask = getattr(routed(), name)
    with pytest.raises(ValueError, match="`split_ids` must be from 0 to 1"):
        ask(with_ids(np.arange(COUNT) % 3), batch_size=8, verbose=0)
    sound = with_ids(np.arange(COUNT) % 2)
    ask(sound, batch_size=8, verbose=0)


def test_negative_split_ids_are_refused():
    with pytest.raises(ValueError, match="`split_ids` must .* received -1"):
        routed().fit(with_ids(np.arange(COUNT) % 2 - 1), batch_size=8)


def test_split_ids_of_batches_and_of_the_projector_are_looked_at():
    by_ids = layers.SplitBatchNormalization(2, "ids")
    head = layers.projection_head("mlp", 6, normalization=by_ids)
    batches = data.batches(images(COUNT), 8, split_ids=np.arange(COUNT) % 3)
    for model in (routed(), small_model(models.SimCLR, projector=head)):
        with pytest.raises(ValueError, match="received 0 to 2"):
            model.fit(batches, verbose=0)


def test_the_smallest_number_of_splits_counts():
    by_ids = layers.SplitBatchNormalization(2, "ids")
    model = small_model(
        models.SimCLR,
        normalization=layers.SplitBatchNormalization(4, "ids"),
        projector=layers.projection_head("mlp", 6, normalization=by_ids),
    )
    with pytest.raises(ValueError, match="from 0 to 1, received 0 to 3"):
        model.fit(with_ids(np.arange(COUNT) % 4), batch_size=8)


def test_training_by_ids_asks_for_them():
    with pytest.raises(ValueError, match="`split_ids` must say which of 2"):
        routed().fit(images(COUNT), batch_size=8)
    # Features need none.
    assert routed().predict(images(3), verbose=0).shape[0] == 3


def test_an_adversary_makes_ids_of_its_own():
    model = small_model(models.SimCLR, adversary=models.Adversary(0.03))
    model.fit(with_ids(np.arange(COUNT) % 7), batch_size=8, verbose=0)


def test_policy_ids_out_of_range_or_missing_are_refused():
    two = views.policies(["weak", "identity"])
    model = small_model(models.SimCLR, views=two)
    with pytest.raises(ValueError, match="`policy_ids` must be from 0 to 1"):
        model.fit(with_ids(np.arange(COUNT) % 3, "policy_ids"), batch_size=8)
    with pytest.raises(ValueError, match="`policy_ids` must say which of 2"):
        model.fit(images(COUNT), batch_size=8)


@pytest.mark.parametrize("on_device", [False, True])
def test_ids_may_be_made_with_each_batch(on_device):
    class WithIds(data.Batches):
        def made_columns(self, epoch, index):
            return {"split_ids": np.arange(self.batch_size, dtype="int32") % 2}

    batches = WithIds(images(COUNT), {}, lambda epoch: np.arange(COUNT), 8)
    model, same = routed(), routed()
    model.fit(batches, verbose=0, data_on_device=on_device)
    # The same ids as columns.
    ids = data.batches(
        images(COUNT), 8, order="sequential", split_ids=np.arange(COUNT) % 2
    )
    same.fit(ids, verbose=0)
    checks.assert_same_weights(model, same, rtol=1e-5, atol=1e-6)
    assert int(model.step) == 3


@pytest.mark.parametrize("name", ["fit", "evaluate", "predict"])
@pytest.mark.parametrize(
    ("shape", "advice"),
    [
        ((8, 8, 1), "numpy.repeat(images, 3, axis=-1)"),
        ((8, 8, 4), "build the encoder with input_shape=(8, 8, 4)"),
        ((10, 10, 3), "resize them"),
        ((3, 8, 8), "input_shape=(3, 8, 8)"),
    ],
)
def test_images_that_the_encoder_does_not_take_are_refused(name, shape, advice):
    pixels = np.zeros((COUNT, *shape), "uint8")
    model = small_model(models.SimCLR)
    for x in (pixels, data.batches(pixels, 8)):
        size = {} if name == "predict" or x is not pixels else {"batch_size": 8}
        expected = re.escape(
            f"(8, 8, 3) that `encoder` takes, received {shape}"
        )
        with pytest.raises(ValueError, match=f"`images`.*{expected}") as error:
            getattr(model, name)(x, **size)
        assert advice in str(error.value)


@pytest.mark.parametrize("name", ["fit", "evaluate", "predict"])
def test_images_without_an_axis_of_channels_are_refused(name):
    with pytest.raises(ValueError, match="gives grey ones a channel"):
        getattr(small_model(models.SimCLR), name)(images(COUNT)[..., 0])


def test_pairs_of_grey_images_are_refused():
    grey = images(6)[..., :1]
    with pytest.raises(ValueError, match="`images` must be of the shape"):
        small_model(models.Siamese).predict_pairs(grey, grey)


def test_views_of_the_encoders_size_will_do():
    small = views.policy("weak", size=8)
    model = small_model(models.SimCLR, views=small)
    model.fit(images(COUNT, size=12), batch_size=8, verbose=0)
    large = small_model(models.SimCLR, views=views.policy("weak", size=12))
    with pytest.raises(ValueError, match="The views of `images` must be"):
        large.fit(images(COUNT), batch_size=8)


def test_an_encoder_of_any_size_takes_any_size():
    encoder = keras.Sequential(
        [keras.Input((None, None, 3)), keras.layers.GlobalAveragePooling2D()]
    )
    model = models.SimCLR(encoder, projector="linear", views="weak")
    model.compile("sgd", run_eagerly=True)
    for size in (8, 11):
        model.fit(images(COUNT, size=size), batch_size=8, verbose=0)


@pytest.mark.parametrize(
    "method",
    [
        models.SimCLR,
        models.MoCoV3,
        models.SupCon,
        models.TripletModel,
        models.Siamese,
    ],
)
def test_a_batch_of_one_has_no_negatives(method):
    model = small_model(method)
    labels = np.arange(COUNT) % 3
    sentence = f"`batch_size` must be at least 2, received 1; {method.__name__}"
    with pytest.raises(ValueError, match=sentence):
        model.fit(images(COUNT), labels, batch_size=1)
    with pytest.raises(ValueError, match=sentence):
        model.evaluate(images(COUNT), labels, batch_size=1)


def test_a_queue_is_enough_for_one_image():
    model = small_model(models.MoCo, queue_size=8)
    history = model.fit(images(COUNT), batch_size=1, verbose=0).history
    assert history["loss"][0] > 0.1


def test_given_pairs_need_no_others():
    columns = {
        "images": images(2),
        "other_images": images(2, seed=1),
        "same": np.array([1, 0]),
    }
    model = small_model(models.Siamese)
    model.fit(columns, batch_size=1, verbose=0)


@pytest.mark.parametrize("wrong", [2, -1, 0.5])
def test_same_is_one_or_zero(wrong):
    columns = {
        "images": images(4),
        "other_images": images(4, seed=1),
        "same": np.array([1, 0, 1, wrong]),
    }
    with pytest.raises(ValueError, match="`same` must be 1"):
        small_model(models.Siamese).fit(columns, batch_size=4)


def test_images_that_are_compared_have_one_shape():
    pairs = {
        "images": images(4),
        "other_images": images(4)[..., :1],
        "same": np.ones(4),
    }
    with pytest.raises(ValueError, match="`other_images` must be images of"):
        small_model(models.Siamese).fit(pairs, batch_size=4)
    triplets = {
        "images": images(4),
        "positive_images": images(4),
        "negative_images": images(4, size=9),
    }
    with pytest.raises(ValueError, match="`negative_images` must be images of"):
        small_model(models.TripletModel).fit(triplets, batch_size=4)


@pytest.mark.parametrize(
    ("method", "arguments", "multiple"),
    [
        # All views of an image share its split.
        (models.SimCLR, {}, 10),
        (models.SupCon, {"num_views": 5}, 10),
        # First views are split, and then the second ones.
        (models.SimCLR, {"view_order": "view_major"}, 5),
        (models.MoCo, {"queue_size": 30}, 10),
        (models.MoCo, {"queue_size": 40, "symmetric": True}, 5),
    ],
)
def test_batches_are_shared_by_splits_equally(method, arguments, multiple):
    by_place = layers.SplitBatchNormalization(10, "contiguous")
    model = small_model(
        method, normalization=by_place, projector=None, **arguments
    )
    labels = np.zeros(COUNT, "int32")
    # As many as there are, up to the next number that will do.
    model.fit(images(COUNT), labels, verbose=0)
    assert int(model.step) == 1
    with pytest.raises(ValueError, match=f"a multiple of {multiple}, .* 11"):
        model.fit(images(COUNT), labels, batch_size=11)


def test_interleaved_splits_may_part_the_views_of_an_image():
    by_place = layers.SplitBatchNormalization(10, "interleaved")
    model = small_model(models.SimCLR, normalization=by_place, projector=None)
    model.fit(images(COUNT), batch_size=5, verbose=0)
    with pytest.raises(ValueError, match="a multiple of 5, .* received 4"):
        model.fit(images(COUNT), batch_size=4)


def test_views_of_an_image_share_its_contiguous_split():
    """By default, too: what one image is changes no other split's rows."""
    by_place = layers.SplitBatchNormalization(10, "contiguous")
    model = small_model(
        models.SimCLR, normalization=by_place, projector=None, views="identity"
    )
    given = images(28)
    batches = [
        model_inputs.training(
            each, None, None, False, 0, batch_multiple(model, ["images"])
        )[0]
        for each in (given, np.concatenate([255 - given[:1], given[1:]]))
    ]
    assert len(batches[0]["images"]) == 20
    features = [
        keras.ops.convert_to_numpy(
            model.encoder(model.make_views(batch, 0), training=True)
        )
        for batch in batches
    ]
    changed = np.abs(features[0] - features[1]).max(axis=1) > 1e-6
    # Splits of two images, which are four rows.
    np.testing.assert_array_equal(np.flatnonzero(changed), np.arange(4))


def test_given_triplets_are_three_rows_each():
    by_place = layers.SplitBatchNormalization(6, "contiguous")
    model = small_model(
        models.TripletModel,
        normalization=by_place,
        projector=None,
        num_views=6,
    )
    names = ("images", "positive_images", "negative_images")
    given = {name: images(8, seed=k) for k, name in enumerate(names)}
    model.fit(given, batch_size=6, verbose=0)
    with pytest.raises(ValueError, match="a multiple of 6, .* received 4"):
        model.fit(given, batch_size=4)


def test_an_encoder_at_rest_takes_any_batch():
    by_place = layers.SplitBatchNormalization(10, "contiguous")
    probe = models.Classifier(checks.encoder(by_place), 2)
    probe.compile("sgd", run_eagerly=True)
    labels = np.arange(COUNT) % 2
    probe.fit(images(COUNT), labels, batch_size=8, verbose=0)
    siamese = small_model(
        models.Siamese,
        normalization=by_place,
        projector=None,
        stage="discriminator",
    )
    siamese.fit(images(COUNT), batch_size=8, verbose=0)
    assert int(siamese.step) == int(probe.step) == 3


def test_batches_of_one_image_that_are_no_arrays_are_warned_of():
    def batches(count):
        return ((images(count, seed=step),) for step in range(2))

    with pytest.warns(UserWarning, match="SimCLR compares .* batch of one"):
        small_model(models.SimCLR).fit(batches(1), verbose=0)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".* a batch of one")
        small_model(models.SimCLR).fit(batches(2), verbose=0)
        small_model(models.MoCo, queue_size=8).fit(batches(1), verbose=0)
