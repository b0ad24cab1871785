"""What every random transformation of images is made of.

A transformation keeps apart which choices exist and how one is applied:
`sample` turns random numbers into one choice an image, `apply` is a
deterministic function of images and choices. Its parameters are numbers, so
that several policies in one batch are arrays of them, gathered row by row.
"""

from keras_contrastive.views.configurable import Configurable


class Transformation(Configurable):
    """One random change of images, chosen for each image by itself.

    A subclass keeps its constructor's arguments, numbers and pairs of
    numbers, as attributes, states `sample` and `apply`, and has the number of
    a `stream` of random numbers of its own: 1 to 7 are taken by those built
    in.

    Args:
        probability: float in [0, 1], of changing an image at all.

    Raises:
        ValueError: the probability is outside [0, 1].

    Example:

    ```python
    import keras
    from keras_contrastive import views

    @keras.saving.register_keras_serializable(package="my_project")
    class Invert(views.Transformation):
        stream = 100

        @staticmethod
        def sample(draws, parameters, shape):
            u = draws.per_image(1)
            return {"invert": u[:, 0] < parameters["probability"]}

        @staticmethod
        def apply(images, invert):
            invert = invert[:, None, None, None]
            return keras.ops.where(invert, 1.0 - images, images)

    policy = views.Policy([Invert(probability=0.5)])
    ```
    """

    stream = None

    def __init__(self, probability=1.0):
        self.probability = check_fraction("probability", probability)

    @classmethod
    def neutral(cls):
        """Returns the transformation with which every image stays as it is."""
        return cls(probability=0.0)

    @property
    def idle(self):
        """Whether no image is ever changed."""
        return self.probability == 0.0

    def parameters(self):
        """Returns the constructor's arguments as a dict of floats.

        A pair is two of them, `name_low` and `name_high`; None is 0.
        """
        parameters = {}
        for name, value in self.arguments().items():
            if isinstance(value, tuple):
                low, high = value
                parameters[f"{name}_low"] = low
                parameters[f"{name}_high"] = high
            else:
                parameters[name] = float(value or 0.0)
        return parameters

    @staticmethod
    def sample(draws, parameters, shape):
        """Turns random numbers into one choice for each image.

        Args:
            draws: `Draws`, with `per_image(count)` and `per_value(shape)`.
            parameters: dict from the names in `parameters()` to float32
                tensors `(batch,)` or `(1,)`.
            shape: tuple of ints, height, width and channels of the images.

        Returns:
            Dict of tensors `(batch, ...)`, the arguments of `apply`.
        """
        raise NotImplementedError

    @staticmethod
    def apply(images, **choices):
        """Applies one choice to each image.

        Args:
            images: float32 `(batch, height, width, channels)` in [0, 1].
            **choices: tensors `(batch, ...)`, as `sample` returns them.

        Returns:
            float32, shaped like `images`.
        """
        raise NotImplementedError


def check_fraction(name, value, most=1.0):
    """Refuses a number outside of [0, most].

    Args:
        name: str, the argument's name.
        value: what was received.
        most: float, the largest that is meant.

    Returns:
        The number, as float.

    Raises:
        ValueError: if it is outside.
    """
    if not 0.0 <= value <= most:
        raise ValueError(
            f"`{name}` must be between 0 and {most:g}, received {value!r}."
        )
    return float(value)


def check_interval(name, value, least, most=float("inf")):
    """Refuses an interval that is not within [least, most].

    Args:
        name: str, the argument's name.
        value: what was received, a pair (low, high).
        least: float, the smallest that is meant.
        most: float, the largest that is meant.

    Returns:
        low and high, as floats.

    Raises:
        ValueError: if it is no pair in rising order, or outside.
    """
    try:
        low, high = value
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"`{name}` must be a pair (low, high), received {value!r}."
        ) from error
    if not least <= low <= high <= most:
        raise ValueError(
            f"`{name}` must be a pair (low, high) with "
            f"{least:g} <= low <= high <= {most:g}, received {value!r}."
        )
    return float(low), float(high)


def between(fraction, low, high):
    """Maps [0, 1) linearly onto [low, high).

    Args:
        fraction: float tensor in [0, 1).
        low: float, or tensor that broadcasts against the fractions.
        high: float, or tensor likewise.

    Returns:
        Float tensor, `low + fraction * (high - low)`.
    """
    return low + fraction * (high - low)
