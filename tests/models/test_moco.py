import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive import data
from keras_contrastive import layers
from keras_contrastive import losses
from keras_contrastive import models
from keras_contrastive import optimizers
from tests.models.checks import check_resume
from tests.models.checks import check_round_trip
from tests.models.checks import images
from tests.models.checks import small_model
from tests.models.checks import views_of
from tests.models.checks import weights_of

# Tests train on fewer images than any queue is meant for.
pytestmark = pytest.mark.filterwarnings("ignore:The queue holds")


def moco(**kwargs):
    defaults = {"queue_size": 20, "momentum": 0.9}
    return small_model(models.MoCo, **{**defaults, **kwargs})


def first_step(model, pixels):
    """Losses and keys of the first step, by hand."""
    views = views_of(model, pixels, 0)
    directions = [(0, 1), (1, 0)] if model.symmetric else [(0, 1)]
    inputs = [
        ops.concatenate([views[pair[role]] for pair in directions])
        for role in (0, 1)
    ]
    queries, keys = (
        ops.convert_to_numpy(
            model.projector(model.encoder(each, training=True))
        )
        for each in inputs
    )
    rows = losses.info_nce(
        queries, keys, model.queue.vectors.value, model.temperature
    )
    return ops.convert_to_numpy(rows), keys


@pytest.mark.parametrize("symmetric", [False, True])
def test_the_first_step_by_hand(symmetric):
    pixels = images(6)
    rows, keys = first_step(moco(symmetric=symmetric), pixels)
    model = moco(symmetric=symmetric)
    history = model.fit(pixels, batch_size=6, shuffle=False, verbose=0)
    loss = history.history["loss"][0]
    np.testing.assert_allclose(loss, rows.mean(), rtol=1e-4)
    count = 12 if symmetric else 6
    unit = keys / np.linalg.norm(keys, axis=1, keepdims=True)
    assert int(model.queue.position) == count
    np.testing.assert_allclose(
        ops.convert_to_numpy(model.queue.vectors)[:count], unit, atol=1e-4
    )


def test_the_copy_follows_by_the_momentum():
    model = moco(momentum=0.7)
    start = weights_of(model.key_encoder)
    model.fit(images(12), batch_size=12, verbose=0)
    after_one = weights_of(model.encoder)
    # The copy follows before the update: it has not moved yet.
    trainable = [each.trainable for each in model.encoder.weights]
    for was, now, learns in zip(
        start, weights_of(model.key_encoder), trainable, strict=True
    ):
        if learns:
            np.testing.assert_allclose(now, was, rtol=1e-6)
    model.fit(images(12), batch_size=12, verbose=0)
    for was, goal, now, learns in zip(
        start, after_one, weights_of(model.key_encoder), trainable, strict=True
    ):
        if learns:
            expected = 0.7 * was + 0.3 * goal
            np.testing.assert_allclose(now, expected, rtol=1e-4, atol=1e-6)


def test_the_momentum_can_be_a_schedule():
    schedule = optimizers.CosineSchedule(0.0, steps=2, final=1.0)
    model = moco(momentum=schedule)
    model.fit(images(12), batch_size=12, epochs=2, verbose=0)
    # In step 1 half of the copy was the encoder of step 0.
    steady = moco(momentum=0.5)
    steady.fit(images(12), batch_size=12, epochs=2, verbose=0)
    for one, other in zip(
        weights_of(model.key_encoder), weights_of(steady.key_encoder)
    ):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_keys_get_no_gradient_and_the_copy_no_update():
    model = moco(momentum=1.0)
    names = [each.path for each in model.trainable_variables]
    assert names and not any("key" in name for name in names)
    trainable = [each.trainable for each in model.encoder.weights]
    start = weights_of(model.key_encoder)
    model.fit(images(), batch_size=12, epochs=3, verbose=0)
    for was, now, learns in zip(
        start, weights_of(model.key_encoder), trainable, strict=True
    ):
        if learns:
            np.testing.assert_array_equal(was, now)


def test_the_copy_is_not_thawed_with_the_model():
    model = moco(momentum=1.0)
    names = [each.path for each in model.trainable_variables]
    model.trainable = False
    assert not model.trainable_variables
    model.trainable = True
    model.compile(optimizer=keras.optimizers.AdamW(0.1), run_eagerly=True)
    for found in (model.trainable_variables, model.trainable_weights):
        assert [each.path for each in found] == names
    resting = {id(each) for each in model.non_trainable_variables}
    assert resting >= {id(each) for each in model.key_encoder.variables}
    assert len(resting) + len(names) == len(model.variables)
    trainable = [each.trainable for each in model.encoder.weights]
    start = weights_of(model.key_encoder)
    model.fit(images(), batch_size=12, verbose=0)
    for was, now, learns in zip(
        start, weights_of(model.key_encoder), trainable, strict=True
    ):
        if learns:
            np.testing.assert_array_equal(was, now)


def test_the_copys_statistics_are_its_own():
    model = moco()
    model.fit(images(), batch_size=12, epochs=3, verbose=0)
    ours, theirs = (
        ops.convert_to_numpy(each.get_layer("normalization_1").moving_mean)
        for each in (model.encoder, model.key_encoder)
    )
    assert np.abs(theirs).max() > 0.01
    assert np.abs(ours - theirs).max() > 1e-4


def test_eman_normalizes_each_key_by_itself():
    model = moco(eman=True, momentum=0.5)
    model.fit(images(), batch_size=12, epochs=3, verbose=0)
    views = views_of(model, images(6), 3)
    arguments = ([(0, 1)], {}, True)
    together = model._keys(views, *arguments)
    alone = model._keys([each[:1] for each in views], *arguments)
    np.testing.assert_allclose(together[:1], alone, rtol=1e-4, atol=1e-6)
    plain = moco(eman=False)
    together = plain._keys(views, *arguments)
    alone = plain._keys([each[:2] for each in views], *arguments)
    assert np.abs(np.asarray(together[:2]) - np.asarray(alone)).max() > 1e-3


def test_shuffled_keys_come_back_in_order():
    shuffled, straight = moco(), moco(shuffle_keys=False)
    views = views_of(shuffled, images(6), 0)
    keys = [
        np.asarray(each._keys(views, [(0, 1)], {}, True))
        for each in (shuffled, straight)
    ]
    # One split has one company, in whatever order.
    np.testing.assert_allclose(*keys, rtol=1e-4, atol=1e-5)


def test_shuffling_changes_the_company_of_split_normalization():
    splits = layers.SplitBatchNormalization(3, "contiguous")
    shuffled = moco(normalization=splits)
    straight = moco(normalization=splits, shuffle_keys=False)
    views = views_of(shuffled, images(6), 0)
    keys = [
        np.asarray(each._keys(views, [(0, 1)], {}, True))
        for each in (shuffled, straight)
    ]
    assert np.abs(keys[0] - keys[1]).max() > 1e-2


def test_ids_travel_with_shuffled_keys():
    ids = np.array([0, 0, 1, 1, 2, 2], "int32")
    by_id = layers.SplitBatchNormalization(3, "ids", split_statistics=True)
    keys = []
    for shuffle in (True, False):
        model = moco(normalization=by_id, shuffle_keys=shuffle)
        views = views_of(model, images(6), 0)
        batch = {"split_ids": ops.convert_to_tensor(ids)}
        keys.append(np.asarray(model._keys(views, [(0, 1)], batch, True)))
    np.testing.assert_allclose(*keys, rtol=1e-4, atol=1e-5)


def test_evaluation_moves_nothing_and_repeats():
    model = moco()
    model.fit(images(), batch_size=12, verbose=0)
    before = weights_of(model)
    values = [
        model.evaluate(images(), batch_size=12, verbose=0) for _ in range(2)
    ]
    assert values[0] == values[1]
    for one, other in zip(before, weights_of(model), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("symmetric", [False, True])
def test_it_learns(symmetric):
    # Little momentum and a slow copy, so that a queue of few is of use.
    model = moco(symmetric=symmetric, queue_size=24, momentum=0.95, eager=False)
    model.optimizer.learning_rate = 0.05
    history = model.fit(images(), batch_size=12, epochs=30, verbose=0)
    accuracy = history.history["contrastive_top_5"]
    assert np.isfinite(history.history["loss"]).all()
    assert np.mean(accuracy[-5:]) > np.mean(accuracy[2:7])


def test_save_load_and_resume(tmp_path):
    model = moco(symmetric=True, eman=True, shuffle_keys=False)
    model.fit(images(), batch_size=8, verbose=0)
    loaded = check_round_trip(model, tmp_path / "model.keras", images())
    own = ("momentum", "symmetric", "shuffle_keys", "eman", "queue_size")
    found, expected = loaded.get_config(), model.get_config()
    assert [found[name] for name in own] == [expected[name] for name in own]
    check_resume(moco, tmp_path / "part.keras", images())


def test_a_schedule_survives_saving(tmp_path):
    schedule = optimizers.CosineSchedule(0.9, steps=10, final=1.0)
    model = moco(momentum=schedule)
    model.fit(images(), batch_size=8, verbose=0)
    loaded = check_round_trip(model, tmp_path / "model.keras", images())
    assert loaded.momentum.get_config() == schedule.get_config()


def test_a_queue_as_large_as_the_dataset_is_warned_of():
    with pytest.warns(UserWarning, match="24 keys of 24 images"):
        moco(queue_size=24).fit(images(), batch_size=12, verbose=0)
    batches = data.batches(images(), 12)
    with pytest.warns(UserWarning, match="30 keys of 24 images"):
        moco(queue_size=30).fit(batches, verbose=0)


def test_a_queue_smaller_than_the_batch_is_refused():
    with pytest.raises(ValueError, match="10 for 12 keys"):
        moco(queue_size=10).fit(images(), batch_size=12, verbose=0)
    with pytest.raises(ValueError, match="20 for 24 keys"):
        moco(symmetric=True).fit(images(), batch_size=12, verbose=0)
    # A batch that is no `data.Batches` is seen in the step.
    batch = {"images": images(12), "positions": np.arange(12, dtype="int32")}
    model = moco(queue_size=10)
    batch["views"] = model.make_views(batch, 0)
    with pytest.raises(ValueError, match="10 for 12 keys"):
        model.contrastive_step(batch, training=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"temperature": 0.0}, "`temperature`.*0.0"),
        ({"momentum": 1.5}, "`momentum`.*1.5"),
        ({"queue_size": 0}, "`queue_size`.*0"),
        ({"views": ["weak"] * 3}, "at most 2 views, received 3"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        moco(**arguments)


def test_half_precision_trains_finite_with_a_float32_queue():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = moco()
        history = model.fit(images(), batch_size=12, epochs=3, verbose=0)
    finally:
        keras.config.set_dtype_policy("float32")
    assert np.isfinite(history.history["loss"]).all()
    assert model.queue.vectors.dtype == "float32"
