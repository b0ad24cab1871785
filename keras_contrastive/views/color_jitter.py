"""Color jitter: brightness, contrast, saturation and hue, in random order.

With x a pixel's color in [0, 1], and each result clipped to [0, 1],

    brightness b:  b x
    contrast c:    c x + (1 - c) mean of the image's grey
    saturation s:  s x + (1 - s) grey of the pixel
    hue h:         the pixel's hue in HSV turned by h, a fraction of the circle

as in torchvision. The order counts, since contrast looks at the whole image,
hue keeps the largest and the smallest channel in place, and all are clipped.

Each image has an order of its own. There are 24 of them, and every one is a
subsequence of `_SEQUENCE`; so the whole batch goes through that one sequence,
and an image skips, by neutral factors, what its order does not want there.
The dear steps come once (hue) and twice (contrast, which has to average the
whole image), the cheap ones four and eight times.

Reference: Chen et al. 2020, A simple framework for contrastive learning of
visual representations, appendix A, https://arxiv.org/abs/2002.05709
"""

import itertools

import keras
import numpy as np
from keras import ops

from keras_contrastive.views import channels
from keras_contrastive.views.transformation import Transformation
from keras_contrastive.views.transformation import between
from keras_contrastive.views.transformation import check_fraction

_NAMES = ("brightness", "contrast", "saturation", "hue")
# An order's number is its place here; number 0 is the order of the names.
ORDERS = tuple(itertools.permutations(_NAMES))


@keras.saving.register_keras_serializable(package="keras_contrastive")
class ColorJitter(Transformation):
    """Changes brightness, contrast, saturation and hue by random amounts.

    A factor is uniform over [max(0, 1 - strength), 1 + strength], the turn of
    the hue over [-hue, hue]. On images of one channel, saturation and hue
    change nothing.

    Args:
        brightness, contrast, saturation: floats >= 0, strengths.
        hue: float in [0, 0.5], as a fraction of the color circle.
        probability: float in [0, 1], of changing an image at all.
        random_order: bool, whether each image has its four changes in an
            order of its own, or all in the order of the arguments.

    Raises:
        ValueError: an argument is out of range.

    Example:

    ```python
    from keras_contrastive import views

    jitter = views.ColorJitter(0.4, 0.4, 0.4, 0.1, probability=0.8)
    policy = views.Policy([views.ResizedCrop(), jitter])
    ```

    Reference: Chen et al. 2020, appendix A, https://arxiv.org/abs/2002.05709
    """

    stream = 2

    def __init__(
        self,
        brightness=0.4,
        contrast=0.4,
        saturation=0.4,
        hue=0.1,
        probability=0.8,
        random_order=True,
    ):
        super().__init__(probability)
        no_limit = float("inf")
        self.brightness = check_fraction("brightness", brightness, no_limit)
        self.contrast = check_fraction("contrast", contrast, no_limit)
        self.saturation = check_fraction("saturation", saturation, no_limit)
        self.hue = check_fraction("hue", hue, 0.5)
        self.random_order = bool(random_order)

    @staticmethod
    def sample(draws, parameters, shape):
        """Chooses the four amounts and their order."""
        u = draws.per_image(6)
        applied = u[:, 0] < parameters["probability"]
        choices = {}
        for column, name in enumerate(_NAMES[:3], start=1):
            strength = parameters[name]
            low = ops.maximum(0.0, 1.0 - strength)
            factor = between(u[:, column], low, 1.0 + strength)
            choices[name] = ops.where(applied, factor, 1.0)
        turn = between(u[:, 4], -parameters["hue"], parameters["hue"])
        choices["hue"] = ops.where(applied, turn, 0.0)
        order = u[:, 5] * len(ORDERS) * parameters["random_order"]
        choices["order"] = ops.cast(ops.floor(order), "int32")
        return choices

    @staticmethod
    def apply(images, brightness, contrast, saturation, hue, order):
        """Changes the colors of each image.

        Args:
            images: float32 `(batch, height, width, channels)` in [0, 1], of 1
                or 3 channels.
            brightness, contrast, saturation: float32 `(batch,)`, factors >= 0;
                1 changes nothing.
            hue: float32 `(batch,)`, fraction of the color circle; 0 changes
                nothing.
            order: int32 `(batch,)`, an index into `ORDERS`.

        Returns:
            float32, shaped like `images`.
        """
        amounts = {
            "brightness": brightness,
            "contrast": contrast,
            "saturation": saturation,
            "hue": hue,
        }
        chosen = ops.take(ops.convert_to_tensor(_CHOSEN), order, axis=0)
        planes = channels.split(images)
        for place, name in enumerate(_SEQUENCE):
            change, neutral = _CHANGES[name]
            amount = ops.where(chosen[:, place], amounts[name], neutral)
            planes = change(planes, amount)
        return channels.stack(planes)


def _change_brightness(planes, factor):
    factor = channels.per_image(factor)
    return tuple(ops.minimum(1.0, plane * factor) for plane in planes)


def _change_contrast(planes, factor):
    mean = ops.mean(channels.grey(planes), axis=(1, 2))
    rest = channels.per_image(mean * (1.0 - factor))
    return _blend(planes, factor, rest)


def _change_saturation(planes, factor):
    if len(planes) == 1:
        return planes
    rest = channels.grey(planes) * channels.per_image(1.0 - factor)
    return _blend(planes, factor, rest)


def _blend(planes, factor, rest):
    factor = channels.per_image(factor)
    return tuple(ops.clip(plane * factor + rest, 0.0, 1.0) for plane in planes)


def _change_hue(planes, turn):
    if len(planes) == 1:
        return planes
    images = channels.stack(planes)
    # The condition saves the work where no image wants it. It also keeps XLA
    # from computing all that comes before once more in each later step: 5.5
    # instead of 8.8 ms for 256 images of 32x32 on one core.
    turned = ops.cond(
        ops.any(turn != 0.0),
        lambda: channels.stack(_turn_hue(channels.split(images), turn)),
        lambda: images,
    )
    return channels.split(turned)


def _turn_hue(planes, turn):
    """Turns the hue; a channel falls off linearly around the circle.

    With the hue in [0, 1) and a channel's own hue 0, 1/3 or 2/3, its value is
    smallest + (largest - smallest) clip(2 - 6 distance, 0, 1), the distance
    taken around the circle: HSV without its six cases.
    """
    red, green, blue = planes
    largest = ops.maximum(ops.maximum(red, green), blue)
    smallest = ops.minimum(ops.minimum(red, green), blue)
    chroma = largest - smallest
    is_red, is_green = largest == red, largest == green
    difference = ops.where(
        is_red, green - blue, ops.where(is_green, blue - red, red - green)
    )
    hue = ops.where(is_red, 0.0, ops.where(is_green, 1 / 3, 2 / 3))
    # A grey pixel has neither chroma nor hue.
    hue = hue + difference / ops.maximum(6.0 * chroma, 1e-12)
    turn = channels.per_image(turn)
    turned = []
    for plane, own_hue in zip(planes, (0.0, 1 / 3, 2 / 3)):
        distance = hue + (turn - own_hue)
        distance = ops.abs(distance - ops.round(distance))
        value = smallest + chroma * ops.clip(2.0 - 6.0 * distance, 0.0, 1.0)
        turned.append(ops.where(turn == 0.0, plane, value))
    return tuple(turned)


_CHANGES = {
    "brightness": (_change_brightness, 1.0),
    "contrast": (_change_contrast, 1.0),
    "saturation": (_change_saturation, 1.0),
    "hue": (_change_hue, 0.0),
}


def _ruler(names):
    """The shortest sequence that holds every order: a, aba, abacaba, ..."""
    sequence = ()
    for name in names:
        sequence = (*sequence, name, *sequence)
    return sequence


def _places(order):
    """At which places of the sequence an order has its changes."""
    chosen = np.zeros(len(_SEQUENCE), "bool")
    place = -1
    for name in order:
        place = _SEQUENCE.index(name, place + 1)
        chosen[place] = True
    return chosen


# From cheap and frequent to dear and rare.
_SEQUENCE = _ruler(("brightness", "saturation", "contrast", "hue"))
_CHOSEN = np.stack([_places(order) for order in ORDERS])
