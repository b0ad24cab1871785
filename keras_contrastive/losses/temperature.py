"""The temperature of a contrastive loss, checked."""


def check_temperature(
    temperature, name="temperature", advice="SimCLR uses 0.5 on CIFAR-10"
):
    """Refuses a temperature that is a number and not positive.

    Args:
        temperature: a number, or a tensor, whose value cannot be known.
        name: str, what the caller calls it.
        advice: str, a value to take instead.

    Raises:
        ValueError: if it is zero, negative or not a number.
    """
    if isinstance(temperature, (int, float)) and not temperature > 0:
        raise ValueError(
            f"`{name}` must be positive, received {temperature}; {advice}."
        )
