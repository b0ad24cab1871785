import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive import models

POSITIONS = np.arange(40, dtype="int32")
PLACE = {"seed": 3, "step": 7}
# Of a quadratic loss |x - TARGET|^2 / 2, whose gradient grows away from it.
TARGET = 0.4


def pixels(count=6):
    generator = np.random.default_rng(0)
    return generator.uniform(size=(count, 4, 5, 3)).astype("float32")


def attack(adversary, images, gradient_of=lambda images: images - TARGET):
    positions = np.arange(len(images), dtype="int32")
    attacked = adversary.attack(images, gradient_of, positions, **PLACE)
    return ops.convert_to_numpy(attacked)


def test_one_step_is_the_fast_gradient_sign_method():
    images = pixels()
    expected = images + 0.1 * np.sign(images - TARGET)
    attacked = attack(models.Adversary(0.1), images)
    np.testing.assert_allclose(attacked, np.clip(expected, 0, 1), atol=1e-6)


def test_several_steps_are_projected_gradient_ascent():
    generator = np.random.default_rng(1)
    slopes = [generator.normal(size=(6, 4, 5, 3)) for _ in range(5)]
    images, expected = pixels(), pixels().astype("float64")
    start = expected
    for slope in slopes:
        expected = expected + 0.04 * np.sign(slope)
        expected = np.clip(expected, start - 0.1, start + 0.1)
        expected = np.clip(expected, 0, 1)
    remaining = [ops.convert_to_tensor(each, "float32") for each in slopes]
    adversary = models.Adversary(0.1, steps=5, step_size=0.04)
    attacked = attack(adversary, images, lambda _: remaining.pop(0))
    assert not remaining
    np.testing.assert_allclose(attacked, expected, atol=1e-6)
    assert (np.abs(attacked - start) < 0.09).any()


@pytest.mark.parametrize(
    ("steps", "size"), [(1, 0.1), (2, 0.1), (5, 0.05), (10, 0.025)]
)
def test_the_steps_reach_the_corners_unless_told_otherwise(steps, size):
    images = np.full((1, 2, 2, 1), 0.5, "float32")
    seen = []

    def gradient_of(attacked):
        seen.append(ops.convert_to_numpy(attacked))
        return ops.ones_like(attacked)

    attacked = attack(models.Adversary(0.1, steps), images, gradient_of)
    seen.append(attacked)
    np.testing.assert_allclose(seen[1] - seen[0], size, atol=1e-6)
    np.testing.assert_allclose(attacked, 0.6, atol=1e-6)


@pytest.mark.parametrize("random_start", [False, True])
@pytest.mark.parametrize("steps", [1, 3])
def test_it_stays_in_the_ball_and_in_the_range(steps, random_start):
    images = pixels()
    images[0] = 0.0
    images[1] = 1.0
    adversary = models.Adversary(
        0.07, steps, step_size=0.2, random_start=random_start
    )
    attacked = attack(adversary, images, lambda images: 0.5 - images)
    assert np.abs(attacked - images).max() <= 0.07 + 1e-6
    assert attacked.min() >= 0.0 and attacked.max() <= 1.0
    assert np.abs(attacked - images).max() > 0.06


def test_the_random_start_is_uniform_and_a_function_of_its_place():
    images = np.full((40, 8, 8, 3), 0.5, "float32")
    adversary = models.Adversary(0.1, random_start=True)

    def start(positions=POSITIONS, **place):
        return ops.convert_to_numpy(
            adversary.attack(
                images,
                lambda images: ops.zeros_like(images),
                positions,
                **{**PLACE, **place},
            )
        )

    moves = (start() - 0.5) / 0.1
    assert abs(moves.mean()) < 0.03 and abs(moves.var() - 1 / 3) < 0.01
    np.testing.assert_array_equal(start(), start())
    np.testing.assert_array_equal(start(POSITIONS[::-1])[::-1], start())
    for other in ({"seed": 4}, {"step": 8}):
        assert np.abs(start(**other) - start()).mean() > 0.05


@pytest.mark.parametrize(
    ("share", "count"), [(1.0, 40), (0.5, 20), (0.26, 10), (0.001, 1)]
)
def test_a_share_of_the_rows_is_chosen(share, count):
    rows = models.Adversary(share=share).choose(POSITIONS, **PLACE)
    rows = ops.convert_to_numpy(rows)
    assert len(set(rows)) == len(rows) == count
    assert rows.min() >= 0 and rows.max() < 40


def test_the_choice_is_a_function_of_seed_and_step():
    adversary = models.Adversary(share=0.5)

    def chosen(positions=POSITIONS, **place):
        place = {**PLACE, **place}
        rows = adversary.choose(positions, **place)
        return set(np.asarray(positions)[ops.convert_to_numpy(rows)])

    assert chosen() == chosen()
    # It is the images that are drawn, wherever they stand.
    assert chosen(POSITIONS[::-1]) == chosen()
    assert chosen(seed=4) != chosen() and chosen(step=8) != chosen()
    times = np.zeros(40)
    for step in range(200):
        times[list(chosen(step=step))] += 1
    # Half of 200 with a deviation of 7.
    assert times.min() > 65 and times.max() < 135


def test_an_unknown_batch_size_is_a_share_as_well():
    tf = pytest.importorskip("tensorflow")
    adversary = models.Adversary(share=0.3)
    choose = tf.function(
        lambda positions: adversary.choose(positions, **PLACE),
        input_signature=[tf.TensorSpec([None], tf.int32)],
    )
    for count in (1, 7, 40):
        expected = adversary.choose(POSITIONS[:count], **PLACE)
        np.testing.assert_array_equal(choose(POSITIONS[:count]), expected)


def test_it_survives_serialization():
    adversary = models.Adversary(0.02, 7, 0.005, 0.5, 0.3, True)
    config = keras.saving.serialize_keras_object(adversary)
    assert keras.saving.deserialize_keras_object(config) == adversary
    assert models.Adversary() != adversary


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epsilon": -0.1}, "`epsilon`.*-0.1"),
        ({"steps": 0}, "`steps`.*0"),
        ({"steps": 1.5}, "`steps`.*1.5"),
        ({"steps": "2"}, "`steps`.*'2'"),
        ({"epsilon": "0.03"}, "`epsilon`.*'0.03'"),
        ({"step_size": 0.0}, "`step_size`.*0.0"),
        ({"weight": -1.0}, "`weight`.*-1.0"),
        ({"share": 0.0}, "`share`.*0.0"),
        ({"share": 1.2}, "`share`.*1.2"),
        ({"share": None}, "`share`.*None"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        models.Adversary(**arguments)
