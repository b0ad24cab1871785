"""A linear warm-up, then half a cosine: one function for all schedules.

    s <  w:  v = peak s / w
    s >= w:  v = final + (peak - final) (1 + cos(pi (s - w) / (n - w))) / 2

Reference: Loshchilov and Hutter 2016, https://arxiv.org/abs/1608.03983
"""

import math

import keras
from keras import ops


def cosine_with_warmup(step, peak, steps, warmup=0, final=0.0):
    """The value of a schedule at a step.

    Rises from 0 to `peak` over `warmup` steps, then follows half a cosine to
    `final`, where it stays. With a `final` above `peak`, and no warm-up, it
    is the rising schedule of a momentum encoder.

    Args:
        step: int or int tensor, from 0.
        peak: float, the value after the warm-up.
        steps: int, the step at which `final` is reached.
        warmup: int, steps of the warm-up, less than `steps`.
        final: float, the value from `steps` on.

    Returns:
        float32 scalar tensor.

    Raises:
        ValueError: if the warm-up is as long as the whole, or negative.

    Example:

    >>> values = [cosine_with_warmup(s, 1.0, 6, warmup=2) for s in (1, 2, 4)]
    >>> [round(float(value), 4) for value in values]
    [0.5, 1.0, 0.5]

    Reference:
        Loshchilov and Hutter 2016, https://arxiv.org/abs/1608.03983
    """
    if not 0 <= warmup < steps:
        raise ValueError(
            f"`warmup` must be at least 0 and less than `steps`, received "
            f"{warmup} and {steps}."
        )
    step = ops.cast(step, "float32")
    share = ops.clip((step - warmup) / (steps - warmup), 0.0, 1.0)
    value = final + 0.5 * (peak - final) * (1.0 + ops.cos(math.pi * share))
    if not warmup:
        return value
    return ops.where(step < warmup, peak * step / warmup, value)


@keras.saving.register_keras_serializable(package="keras_contrastive")
class CosineSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """`cosine_with_warmup` as an object, wherever a schedule is taken.

    An optimizer's learning rate, a model's momentum or temperature.

    Args:
        peak: float, the value after the warm-up.
        steps: int, the step at which `final` is reached.
        warmup: int, steps of the warm-up, less than `steps`.
        final: float, the value from `steps` on.

    Raises:
        ValueError: if the warm-up is as long as the whole, or negative.

    Example:

    >>> schedule = CosineSchedule(0.1, steps=100, warmup=10)
    >>> round(float(schedule(5)), 4)
    0.05

    Reference:
        Loshchilov and Hutter 2016, https://arxiv.org/abs/1608.03983
    """

    def __init__(self, peak, steps, warmup=0, final=0.0):
        self.peak = peak
        self.steps = steps
        self.warmup = warmup
        self.final = final
        self(0)

    def __call__(self, step):
        return cosine_with_warmup(
            step, self.peak, self.steps, self.warmup, self.final
        )

    def get_config(self):
        return {
            "peak": self.peak,
            "steps": self.steps,
            "warmup": self.warmup,
            "final": self.final,
        }
