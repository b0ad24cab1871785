import numpy as np
import pytest

from keras_contrastive import losses
from keras_contrastive import optimizers
from keras_contrastive.losses.temperature import check_temperature


@pytest.mark.parametrize(
    "temperature",
    [0, -0.1, float("nan"), np.float32(-0.1), np.float64(0), np.array(-0.1)],
)
def test_what_is_not_positive_is_refused(temperature):
    with pytest.raises(ValueError, match="`temperature` must be positive"):
        check_temperature(temperature)


@pytest.mark.parametrize("temperature", ["0.5", None, [0.5]])
def test_what_is_no_number_is_refused(temperature):
    with pytest.raises(ValueError, match="`temperature` must be a number"):
        losses.InfoNCE(temperature)


@pytest.mark.parametrize("temperature", [1, 0.1, np.float32(0.1), np.array(2)])
def test_what_is_positive_passes(temperature):
    check_temperature(temperature)


def test_a_loss_takes_no_schedule():
    schedule = optimizers.CosineSchedule(0.5, steps=10, final=0.1)
    with pytest.raises(ValueError, match="`temperature` must be a number"):
        losses.NTXent(schedule)
