import keras
import numpy as np
import pytest

from keras_contrastive import optimizers


def in_numpy(step, peak, steps, warmup, final):
    if step < warmup:
        return peak * step / warmup
    share = min((step - warmup) / (steps - warmup), 1.0)
    return final + (peak - final) * (1 + np.cos(np.pi * share)) / 2


@pytest.mark.parametrize(
    ("peak", "warmup", "final"), [(0.3, 0, 0.0), (0.3, 4, 0.01), (0.99, 0, 1.0)]
)
def test_equals_the_formula(peak, warmup, final):
    for step in range(25):
        found = optimizers.cosine_with_warmup(step, peak, 20, warmup, final)
        expected = in_numpy(step, peak, 20, warmup, final)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


def test_it_is_keras_where_keras_has_it():
    ours = optimizers.CosineSchedule(0.3, steps=50, warmup=10)
    theirs = keras.optimizers.schedules.CosineDecay(
        0.0, decay_steps=40, warmup_target=0.3, warmup_steps=10
    )
    for step in range(60):
        np.testing.assert_allclose(ours(step), theirs(step), atol=1e-7)


def test_it_is_an_optimizers_learning_rate_and_survives_serialization():
    schedule = optimizers.CosineSchedule(0.3, steps=50, warmup=10, final=0.1)
    optimizer = keras.optimizers.Adam(schedule)
    copy = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    np.testing.assert_allclose(copy.learning_rate, 0.0)
    restored = copy.get_config()["learning_rate"]["config"]
    assert restored == schedule.get_config()


@pytest.mark.parametrize("warmup", [-1, 20, 21])
def test_a_warmup_out_of_range_is_refused(warmup):
    with pytest.raises(ValueError, match=f"`warmup`.*{warmup} and 20"):
        optimizers.CosineSchedule(0.1, steps=20, warmup=warmup)
