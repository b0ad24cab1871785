"""The temperature of a contrastive loss, checked."""

import numbers

import numpy as np


def check_temperature(
    temperature, name="temperature", advice="SimCLR uses 0.5 on CIFAR-10"
):
    """Refuses a temperature that is a schedule, or known and not positive.

    Args:
        temperature: a number, or a tensor, whose value cannot be known.
        name: str, what the caller calls it.
        advice: str, a value to take instead.

    Raises:
        ValueError: if it is a function, zero, negative or not a number.
    """
    if callable(temperature):
        raise ValueError(
            f"`{name}` must be a number, received {temperature!r}; a loss "
            "knows of no steps, call the schedule with one."
        )
    is_known = isinstance(temperature, (numbers.Real, np.ndarray))
    if not is_known and not hasattr(temperature, "shape"):
        raise ValueError(
            f"`{name}` must be a number, received {temperature!r}; {advice}."
        )
    if is_known and not np.all(np.greater(temperature, 0)):
        raise ValueError(
            f"`{name}` must be positive, received {temperature}; {advice}."
        )
