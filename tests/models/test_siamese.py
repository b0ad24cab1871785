import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive import losses
from keras_contrastive import models
from keras_contrastive.models.pair_partners import partners
from tests.models.checks import check_resume
from tests.models.checks import check_round_trip
from tests.models.checks import images
from tests.models.checks import small_model
from tests.models.checks import views_of
from tests.models.checks import weights_of

LABELS = np.array([0, 0, 1, 1, 2, 0], "int32")
SAME = np.array([1, 0, 0, 1, 1, 0], "int32")
WEIGHTS = {"distance_weight": 0.5, "consistency_weight": 0.2, "gamma": 3.0}


def siamese(**kwargs):
    return small_model(models.Siamese, **kwargs)


def given_pairs(count=6):
    return {
        "images": images(count),
        "other_images": images(count, seed=1),
        "same": SAME[:count],
        "positions": np.arange(count, dtype="int32"),
    }


def dataset(batch):
    tf = pytest.importorskip("tensorflow")
    return tf.data.Dataset.from_tensors(batch)


def embeddings_of(model, views):
    """Both views as the losses see them, in training, by hand."""
    stacked = np.reshape(np.stack(views, axis=1), (-1, 8, 8, 3))
    training = model.stage != "discriminator"
    features = model.encoder(stacked, training=training)
    vectors = ops.convert_to_numpy(model.projector(features))
    if model.normalize:
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors[0::2], vectors[1::2]


def scores_of(model, pair):
    """The discriminator's scores, from its two features, by hand."""
    first, second = pair
    if model.normalize:
        first, second = (each * np.sqrt(each.shape[1]) for each in pair)
    features = np.concatenate([np.abs(first - second), first * second], axis=1)
    return ops.convert_to_numpy(model.discriminator(features))[:, 0]


def numpy_partners(kinds, shift):
    """Who comes next, in a walk around the batch; oneself comes last."""
    count = len(kinds)
    same, other = [], []
    for row in range(count):
        walk = [(row + shift + turn) % count for turn in range(count)]
        walk = [each for each in walk if each != row] + [row]
        same.append(next(w for w in walk if kinds[w] == kinds[row]))
        different = [w for w in walk if kinds[w] != kinds[row]]
        other.append(different[0] if different else -1)
    return np.array(same), np.array(other)


def shift_of(count, seed=0, step=0):
    """How far a batch of images that are all different is turned."""
    own = np.arange(count, dtype="int32")
    return int(partners(own, own, own, seed, step)[1][0])


def loss_by_hand(model, positive, negative, known, everybody):
    """The mean over rows, all of which have pairs of both kinds."""
    scores = [scores_of(model, pair) for pair in (positive, negative)]
    if model.stage == "discriminator":
        return np.mean(losses.pair_discrimination(*scores))
    if model.objective == "composite":
        rows = losses.siamese_composite(
            *positive,
            *(scores if model.stage == "joint" else (None, None)),
            **WEIGHTS,
            candidates_1=everybody[0],
            candidates_2=everybody[1],
        )
        return np.mean(rows)
    expected = np.mean(losses.margin_contrastive(*known, model.margin))
    if model.stage == "joint":
        expected += np.mean(losses.pair_discrimination(*scores))
    return expected


@pytest.mark.parametrize("stage", ["joint", "encoder", "discriminator"])
@pytest.mark.parametrize("objective", ["margin", "composite"])
@pytest.mark.parametrize("supervised", [False, True])
def test_the_first_step_by_hand(objective, supervised, stage):
    options = {"objective": objective, "supervised": supervised}
    options |= {"stage": stage, "margin": 0.9, **WEIGHTS}
    model, pixels = siamese(**options), images(6)
    views = views_of(model, pixels, 0)
    first, second = embeddings_of(model, views)
    kinds = LABELS if supervised else np.arange(6)
    same, other = numpy_partners(kinds, shift_of(6))
    positive, negative = (first, second[same]), (first, second[other])
    known = (
        np.repeat([1.0, 0.0], 6),
        np.concatenate([first, first]),
        np.concatenate([second[same], second[other]]),
    )
    expected = loss_by_hand(model, positive, negative, known, (first, second))
    history = (
        siamese(**options)
        .fit(pixels, LABELS, batch_size=6, shuffle=False, verbose=0)
        .history
    )
    np.testing.assert_allclose(history["loss"][0], expected, rtol=1e-4)
    for name, pair in ("positive", positive), ("negative", negative):
        apart = np.linalg.norm(pair[0] - pair[1], axis=1)
        np.testing.assert_allclose(
            history[f"{name}_distance"][0], apart.mean(), rtol=1e-4
        )
    assert ("active_negatives" in history) == (objective == "margin")
    if objective == "margin":
        assert history["active_negatives"][0] == np.mean(apart < 0.9)
    assert ("discriminator_accuracy" in history) == (stage != "encoder")
    if stage != "encoder":
        right = scores_of(model, positive) > 0, scores_of(model, negative) <= 0
        np.testing.assert_allclose(
            history["discriminator_accuracy"][0], np.mean(right)
        )


@pytest.mark.parametrize("stage", ["joint", "encoder", "discriminator"])
@pytest.mark.parametrize("objective", ["margin", "composite"])
def test_given_pairs(objective, stage):
    options = {"objective": objective, "stage": stage, **WEIGHTS}
    model, batch = siamese(**options), given_pairs()
    views = model.each_view(model.make_views(batch, 0))
    first, second = embeddings_of(model, views)
    _, other = numpy_partners(SAME, shift_of(6))
    alike = np.where(SAME == 1, np.arange(6), other)
    apart = np.where(SAME == 1, other, np.arange(6))
    expected = loss_by_hand(
        model,
        (first[alike], second[alike]),
        (first[apart], second[apart]),
        (SAME, first, second),
        (first, second),
    )
    history = siamese(**options).fit(dataset(batch), verbose=0).history
    np.testing.assert_allclose(history["loss"][0], expected, rtol=1e-4)


def test_given_pairs_as_arrays_train_and_are_evaluated():
    pairs = given_pairs()
    model, evaluated = siamese(seed=5), siamese(seed=5)
    history = model.fit(pairs, batch_size=3, epochs=2, verbose=0).history
    assert int(model.step) == 4 and np.isfinite(history["loss"]).all()
    straight = siamese(seed=5)
    straight.fit(pairs, batch_size=3, epochs=2, shuffle=False, verbose=0)
    assert straight.history.history["loss"] != history["loss"]
    expected = evaluated.evaluate(dataset(pairs), verbose=0)
    found = evaluated.evaluate(pairs, batch_size=6, verbose=0)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("kinds", [LABELS, SAME, np.arange(6), np.zeros(6)])
@pytest.mark.parametrize("step", [0, 1, 5])
def test_partners_are_found_by_a_walk(kinds, step):
    kinds, positions = kinds.astype("int32"), np.arange(6, dtype="int32")
    same, other = numpy_partners(kinds, shift_of(6, seed=3, step=step))
    found = partners(kinds, kinds, positions, 3, step)
    np.testing.assert_array_equal(found[0], same)
    np.testing.assert_array_equal(found[2], other >= 0)
    np.testing.assert_array_equal(
        np.asarray(found[1])[other >= 0], other[other >= 0]
    )
    # A replica's rows find whom they find in the whole.
    part = partners(kinds[2:4], kinds, positions[2:4], 3, step)
    for mine, all_of_them in zip(part, found):
        np.testing.assert_array_equal(mine, all_of_them[2:4])


def test_the_shift_is_never_zero_and_differs():
    shifts = [shift_of(6, step=step) for step in range(200)]
    counts = np.bincount(shifts, minlength=6)
    assert len(counts) == 6 and counts[0] == 0
    assert counts[1:].min() > 20
    assert shifts[:20] != [shift_of(6, seed=1, step=s) for s in range(20)]
    assert shift_of(2) == 1


def test_a_batch_of_one_kind_changes_nothing():
    model = siamese(supervised=True)
    weights = weights_of(model.encoder)[0]
    history = model.fit(
        images(), np.zeros(24, "int32"), batch_size=12, verbose=0
    ).history
    assert history["loss"] == [0.0]
    np.testing.assert_array_equal(weights_of(model.encoder)[0], weights)


def test_given_pairs_of_one_kind_are_still_drawn_together():
    batch = given_pairs() | {"same": np.ones(6, "int32")}
    model = siamese()
    views = model.each_view(model.make_views(batch, 0))
    expected = losses.pair_distance(*embeddings_of(model, views))
    history = siamese().fit(dataset(batch), verbose=0).history
    expected = 0.5 * np.mean(expected)
    np.testing.assert_allclose(history["loss"][0], expected, rtol=1e-4)


def easy_images():
    """Images that differ by their color, which crops and flips keep."""
    generator = np.random.default_rng(0)
    colors = np.linspace(0, 255, 3)[np.indices((3, 3, 3)).reshape(3, -1).T]
    noise = generator.normal(size=(27, 8, 8, 3)) * 8
    pixels = colors[:24, None, None] + noise[:24]
    return np.clip(pixels, 0, 255).astype("uint8")


def trained(stages, **kwargs):
    model = siamese(eager=False, stage=stages[0], **kwargs)
    histories = []
    for stage in stages:
        model.stage = stage
        model.compile(optimizer=keras.optimizers.Adam(1e-2))
        history = model.fit(easy_images(), batch_size=12, epochs=30, verbose=0)
        histories.append(history.history)
    return model, histories


@pytest.mark.parametrize(
    ("stages", "objective"),
    [
        (("joint",), "composite"),
        (("encoder", "discriminator"), "margin"),
    ],
)
def test_it_learns_to_tell_pairs(stages, objective):
    model, histories = trained(stages, objective=objective)
    for history in histories:
        loss = history["loss"]
        assert np.isfinite(loss).all()
        assert np.mean(loss[-5:]) < 0.8 * np.mean(loss[:5])
    pixels = easy_images()
    alike = model.predict_pairs(pixels, pixels[:, :, ::-1])
    others = model.predict_pairs(pixels, np.roll(pixels, 7, axis=0))
    assert alike.mean() > others.mean() + 0.4
    assert np.mean(alike > 0.5) > 0.9 and np.mean(others < 0.5) > 0.7
    near, far = (
        histories[0][f"{kind}_distance"][-1]
        for kind in ("positive", "negative")
    )
    assert far > 1.5 * near


def test_predict_pairs():
    model = siamese()
    model.fit(images(), batch_size=12, epochs=2, verbose=0)
    before = weights_of(model)
    first, second = images(11, seed=2), images(11, seed=3)
    found = model.predict_pairs(first, second)
    assert found.shape == (11,) and found.dtype == np.float32
    assert found.min() >= 0 and found.max() <= 1 and found.std() > 0
    np.testing.assert_array_equal(found, model.predict_pairs(second, first))
    for size in (1, 4, 11):
        other = model.predict_pairs(first, second, batch_size=size)
        np.testing.assert_allclose(found, other, rtol=1e-4, atol=1e-6)
    floats = [each.astype("float32") / 255 for each in (first, second)]
    np.testing.assert_allclose(found, model.predict_pairs(*floats), rtol=1e-5)
    vectors = [
        ops.convert_to_numpy(model.projector(model.encoder(each)))
        for each in floats
    ]
    vectors = [v / np.linalg.norm(v, axis=1, keepdims=True) for v in vectors]
    expected = 1 / (1 + np.exp(-scores_of(model, vectors)))
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    for one, other in zip(before, weights_of(model), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("objective", ["margin", "composite"])
def test_a_stage_trains_its_part_alone(objective):
    model = siamese(objective=objective, stage="encoder", projector="mlp")
    parts = {
        "encoder": (model.encoder, model.projector),
        "discriminator": (model.discriminator,),
    }
    for stage in ("encoder", "discriminator"):
        resting = parts["discriminator" if stage == "encoder" else "encoder"]
        model.stage = stage
        model.compile(optimizer=keras.optimizers.AdamW(1e-2))
        expected = [v for part in parts[stage] for v in part.trainable_weights]
        assert {v.path for v in model.trainable_weights} == {
            v.path for v in expected
        }
        before = [weights_of(part) for part in resting]
        learning = [weights_of(part) for part in parts[stage]]
        model.fit(images(), batch_size=12, epochs=2, verbose=0)
        for part, was in zip(resting, before, strict=True):
            for one, now in zip(was, weights_of(part), strict=True):
                np.testing.assert_array_equal(one, now)
        for part, was in zip(parts[stage], learning, strict=True):
            assert any(
                (one != now).any()
                for one, now in zip(was, weights_of(part), strict=True)
            )


def test_every_variable_is_in_one_of_two_lists():
    model = siamese()
    everything = {id(each) for each in model.variables}
    for stage in ("joint", "encoder", "discriminator"):
        model.stage = stage
        lists = model.trainable_variables, model.non_trainable_variables
        ids = [id(each) for part in lists for each in part]
        assert len(ids) == len(everything) and set(ids) == everything


def test_what_the_user_froze_stays_frozen():
    model = siamese(stage="discriminator")
    model.encoder.layers[1].trainable = False
    model.stage = "joint"
    frozen = {id(each) for each in model.encoder.layers[1].weights}
    assert frozen
    assert not frozen & {id(each) for each in model.trainable_weights}


def test_a_new_stage_asks_for_compile():
    model = siamese()
    model.stage = "joint"
    model.fit(images(), batch_size=12, verbose=0)
    model.stage = "discriminator"
    with pytest.raises(ValueError, match="compile"):
        model.fit(images(), batch_size=12, verbose=0)
    with pytest.raises(ValueError, match="`stage`.*'both'"):
        model.stage = "both"
    assert model.stage == "discriminator"


@pytest.mark.parametrize("stage", ["joint", "encoder", "discriminator"])
def test_save_load_and_resume(tmp_path, stage):
    options = {"objective": "composite", "gamma": 2.0, "stage": stage}
    options |= {"ranking_margin": None, "supervised": True, "margin": 0.7}
    options |= {"distance_weight": 0.2, "consistency_weight": 0.02}
    model = siamese(**options, normalize=True)
    labels = np.arange(24, dtype="int32") % 4
    model.fit(images(), labels, batch_size=8, verbose=0)
    loaded = check_round_trip(
        model, tmp_path / "model.keras", images(), y=labels
    )
    for name in (*options, "normalize"):
        assert getattr(loaded, name) == getattr(model, name), name
    np.testing.assert_array_equal(
        loaded.predict_pairs(images(), images(seed=1)),
        model.predict_pairs(images(), images(seed=1)),
    )
    check_resume(
        lambda: siamese(stage=stage), tmp_path / "part.keras", images()
    )


def test_a_discriminator_of_ones_own(tmp_path):
    layers = [keras.layers.Dense(5, "tanh"), keras.layers.Dense(1)]
    model = siamese(discriminator=keras.Sequential(layers))
    assert model.discriminator.input_shape == (None, 256)
    model.fit(images(), batch_size=12, verbose=0)
    check_round_trip(model, tmp_path / "model.keras", images())


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_trains_finite(policy):
    keras.config.set_dtype_policy(policy)
    try:
        model = siamese(objective="composite")
        history = model.fit(images(), batch_size=12, epochs=2, verbose=0)
    finally:
        keras.config.set_dtype_policy("float32")
    assert np.isfinite(history.history["loss"]).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"objective": "triplet"}, "`objective`.*'triplet'"),
        ({"stage": "second"}, "`stage`.*'second'"),
        ({"margin": -1.0}, "`margin`.*-1.0"),
        ({"ranking_margin": -2.0}, "`ranking_margin`.*-2.0"),
        ({"consistency_weight": -0.5}, "`consistency_weight`.*-0.5"),
        ({"distance_weight": -0.5}, "`distance_weight`.*-0.5"),
        ({"gamma": -3}, "`gamma`.*-3"),
        ({"discriminator": "deep"}, "`discriminator`.*'deep'"),
        ({"views": ["weak"] * 3}, "at most 2 views, received 3"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        siamese(**arguments)


def test_a_discriminator_without_a_score_is_refused():
    two_scores = keras.Sequential([keras.layers.Dense(2)])
    with pytest.raises(ValueError, match=r"`discriminator`.*\(None, 2\)"):
        siamese(discriminator=two_scores)


def test_missing_labels_are_refused():
    with pytest.raises(ValueError, match="Siamese learns from labels"):
        siamese(supervised=True).fit(images(), batch_size=12, verbose=0)


def test_pairs_that_are_not_pairs_are_refused():
    model = siamese()
    with pytest.raises(ValueError, match="`images_2`.*received 6, 5"):
        model.predict_pairs(images(6), images(5))
    batch = given_pairs()
    short = batch | {"other_images": images(5)}
    with pytest.raises(ValueError, match="`other_images`.*6, 5, 6"):
        model.fit(dataset(short), verbose=0)
    with pytest.raises(ValueError, match="`other_images`.*6, 5, 6"):
        model.fit(short, verbose=0)
    short = batch | {"same": SAME[:4]}
    with pytest.raises(ValueError, match="`same`.*6, 6, 4"):
        model.fit(dataset(short), verbose=0)
    without = {key: value for key, value in batch.items() if key != "same"}
    with pytest.raises(ValueError, match="`same`"):
        model.fit(dataset(without), verbose=0)
