import numpy as np
import pytest
from keras import ops

from keras_contrastive import losses
from keras_contrastive.models.adversarial_negatives import AdversarialNegatives
from tests.losses.checks import gradients
from tests.losses.checks import random_embeddings
from tests.losses.checks import unit


def negatives(count=7, dim=5, **kwargs):
    """Negatives that have had their keys."""
    layer = AdversarialNegatives(count, dim, **kwargs)
    layer.filled.assign(count)
    return layer


def pairs(count=6, dim=5):
    return random_embeddings(count, dim, 0), random_embeddings(count, dim, 1)


def vectors_of(layer):
    return ops.convert_to_numpy(layer.vectors)


def mean_loss(layer, queries, keys):
    rows = losses.info_nce(
        queries, keys, layer.vectors.value, layer.negative_temperature
    )
    return float(ops.mean(rows))


@pytest.mark.parametrize("temperature", [0.02, 0.1, 1.0])
def test_the_closed_form_is_the_gradient(temperature):
    layer = negatives(negative_temperature=temperature)
    queries, keys = pairs()

    def value(vectors):
        rows = losses.info_nce(queries, keys, vectors, temperature)
        return ops.mean(rows)

    (expected,) = gradients(value, vectors_of(layer))
    found = ops.convert_to_numpy(layer.gradient(queries, keys))
    assert np.abs(expected).max() > 1e-2
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)
    radial = np.sum(found * vectors_of(layer), axis=1)
    np.testing.assert_allclose(radial, 0, atol=1e-4)


def test_ascent_raises_the_loss_and_stays_on_the_sphere():
    layer = negatives(negative_learning_rate=0.05, negative_temperature=0.1)
    queries, keys = pairs()
    values = [mean_loss(layer, queries, keys)]
    for _ in range(10):
        layer.update(queries, keys)
        values.append(mean_loss(layer, queries, keys))
        lengths = np.linalg.norm(vectors_of(layer), axis=1)
        np.testing.assert_allclose(lengths, 1, rtol=1e-5)
    assert (np.diff(values) > 0).all()


def test_two_steps_by_hand():
    options = {"negative_learning_rate": 0.5, "negative_momentum": 0.8}
    layer = negatives(negative_temperature=0.2, **options)
    vectors, velocity = vectors_of(layer), 0.0
    for seed in (2, 3):
        queries = random_embeddings(6, 5, seed)
        keys = random_embeddings(6, 5, seed + 10)
        gradient = ops.convert_to_numpy(layer.gradient(queries, keys))
        layer.update(queries, keys)
        velocity = 0.8 * velocity + gradient
        vectors = vectors + 0.5 * velocity
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        np.testing.assert_allclose(vectors_of(layer), vectors, atol=1e-5)


def test_it_starts_with_random_vectors_and_rests_at_rate_zero():
    same = vectors_of(negatives(seed=3))
    layer = negatives(seed=3, negative_learning_rate=0.0)
    np.testing.assert_array_equal(vectors_of(layer), same)
    assert np.abs(vectors_of(negatives(seed=4)) - same).max() > 0.1
    layer.update(*pairs())
    np.testing.assert_allclose(vectors_of(layer), same, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size", [4, 12, 15])
def test_the_keys_of_the_first_steps_come_first(size):
    layer = AdversarialNegatives(size, 5)
    start = vectors_of(layer)
    expected, steps = start.copy(), -(-size // 6)
    for step in range(steps):
        queries, keys = pairs()
        keys = keys + step
        layer.update(queries, keys)
        latest = unit(keys)[-size:]
        places = (6 * step + np.arange(len(latest))) % size
        expected[places] = latest
        np.testing.assert_allclose(vectors_of(layer), expected, atol=1e-6)
        assert int(layer.filled) == min(6 * (step + 1), size)
    assert not ops.convert_to_numpy(layer.velocity).any()
    layer.update(*pairs())
    assert np.abs(vectors_of(layer) - expected).max() > 1e-2
    assert ops.convert_to_numpy(layer.velocity).any()
    assert int(layer.filled) == size


def test_half_precision_queries_move_float32_vectors():
    layer = negatives()
    queries, keys = (ops.cast(each, "float16") for each in pairs())
    layer.update(queries, keys)
    assert layer.vectors.dtype == "float32"
    assert np.isfinite(vectors_of(layer)).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": 0}, "`negatives`.*0"),
        ({"count": 4.5}, "`negatives`.*4.5"),
        ({"negative_learning_rate": -1.0}, "`negative_learning_rate`.*-1.0"),
        ({"negative_momentum": 1.0}, "`negative_momentum`.*1.0"),
        ({"negative_temperature": 0.0}, "`negative_temperature`.*0.0"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        negatives(**arguments)


def test_negatives_are_made_again_of_their_config():
    layer = AdversarialNegatives(5, 3, negative_momentum=0.5, seed=2)
    again = AdversarialNegatives.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    np.testing.assert_array_equal(vectors_of(again), vectors_of(layer))
