import numpy as np
import pytest
from keras import ops

from keras_contrastive import losses
from keras_contrastive import models
from tests.models.checks import check_resume
from tests.models.checks import check_round_trip
from tests.models.checks import images
from tests.models.checks import small_model
from tests.models.checks import views_of
from tests.models.checks import weights_of


def adco(**kwargs):
    defaults = {"negatives": 20, "momentum": 0.9}
    return small_model(models.AdCo, **{**defaults, **kwargs})


def vectors_of(model):
    return ops.convert_to_numpy(model.negatives.vectors)


@pytest.mark.parametrize("symmetric", [False, True])
def test_the_first_step_by_hand(symmetric):
    pixels, options = images(6), {"symmetric": symmetric, "temperature": 0.3}
    model = adco(**options)
    views = views_of(model, pixels, 0)
    directions = [(0, 1), (1, 0)] if symmetric else [(0, 1)]
    queries, keys = (
        model.projector(
            model.encoder(
                ops.concatenate([views[pair[role]] for pair in directions]),
                training=True,
            )
        )
        for role in (0, 1)
    )
    rows = losses.info_nce(queries, keys, vectors_of(model), 0.3)
    model.negatives.update(queries, keys)
    trained = adco(**options)
    start = vectors_of(trained)
    history = trained.fit(pixels, batch_size=6, shuffle=False, verbose=0)
    np.testing.assert_allclose(
        history.history["loss"][0], np.mean(rows), rtol=1e-4
    )
    moved = vectors_of(trained)
    np.testing.assert_allclose(moved, vectors_of(model), rtol=1e-3, atol=1e-4)
    count = len(queries)
    assert np.abs(moved[:count] - start[:count]).max() > 0.1
    np.testing.assert_array_equal(moved[count:], start[count:])


def test_the_ascent_makes_negatives_hard():
    learned, resting = (
        adco(
            negatives=12,
            negative_learning_rate=rate,
            negative_temperature=0.1,
        )
        for rate in (0.2, 0.0)
    )
    values, keys = [], []
    for model in (learned, resting):
        fit = {"batch_size": 12, "shuffle": False, "verbose": 0}
        history = model.fit(images(12), epochs=4, **fit)
        values.append(history.history["loss"])
        keys.append(vectors_of(model))
    # The first two losses are before the first ascent.
    np.testing.assert_allclose(values[0][:2], values[1][:2], rtol=1e-4)
    assert values[0][2] > values[1][2] + 0.02
    assert values[0][3] > values[1][3] + 0.1
    assert np.abs(keys[0] - keys[1]).max() > 0.02
    np.testing.assert_allclose(np.linalg.norm(keys[0], axis=1), 1, rtol=1e-5)


def test_evaluation_moves_nothing():
    model = adco()
    before = weights_of(model)
    values = [
        model.evaluate(images(), batch_size=12, verbose=0) for _ in range(2)
    ]
    assert values[0] == values[1]
    for one, other in zip(before, weights_of(model), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_optimizer_does_not_touch_the_negatives():
    names = [each.path for each in adco().trainable_variables]
    assert names and not any("negatives" in name for name in names)


def test_save_load_and_resume(tmp_path):
    model = adco(
        symmetric=True,
        temperature=0.2,
        negative_learning_rate=0.5,
        negative_momentum=0.7,
        negative_temperature=0.05,
    )
    model.fit(images(), batch_size=8, verbose=0)
    loaded = check_round_trip(model, tmp_path / "model.keras", images())
    assert loaded.get_config().keys() == model.get_config().keys()
    for name in ("learning_rate", "momentum", "temperature"):
        name = f"negative_{name}"
        assert getattr(loaded.negatives, name) == getattr(model.negatives, name)
    assert loaded.temperature == 0.2 and loaded.symmetric
    check_resume(
        lambda: adco(negative_learning_rate=0.1),
        tmp_path / "part.keras",
        images(),
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"temperature": 0.0}, "`temperature`.*0.0"),
        ({"momentum": 1.5}, "`momentum`.*1.5"),
        ({"negatives": 0}, "`negatives`.*0"),
        ({"negative_temperature": -1.0}, "`negative_temperature`.*-1.0"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        adco(**arguments)
