"""Named view policies, with their published parameters.

Jitter is brightness, contrast, saturation, hue; then its probability.

    name      crop's area     jitter                           grey   blur
    simclr    0.08-1          0.8s, 0.8s, 0.8s, 0.2s; 0.8      0.2    blur
    moco_v1   0.2-1           0.4, 0.4, 0.4, 0.4; 1            0.2    -
    moco_v2   0.2-1           0.4, 0.4, 0.4, 0.1; 0.8          0.2    blur
    weak      0.2-1           -                                -      -
    identity  whole           -                                -      -
    graded_k  (1-0.92s)-1     0.8s, 0.8s, 0.8s, 0.2s; 0.8      0.2s   -

All but identity flip half of the images and crop at width / height 3/4 to 4/3.
Noise, if any is asked for, comes last.
In moco_v1 grayscale comes before jitter, as in its code. In graded_k, k from 0
to 9, s is (k + 1) / 10: ten strengths of one policy, of which graded_9 is
SimCLR's on ImageNet without its blur.
"""

from keras_contrastive.views.color_jitter import ColorJitter
from keras_contrastive.views.composition import Policy
from keras_contrastive.views.composition import PolicySet
from keras_contrastive.views.gaussian_blur import GaussianBlur
from keras_contrastive.views.grayscale import Grayscale
from keras_contrastive.views.identity import Identity
from keras_contrastive.views.noise import Noise
from keras_contrastive.views.resized_crop import ResizedCrop
from keras_contrastive.views.transformation import check_fraction


def policy(name, size=None, noise=0.0, **parameters):
    """Returns a view policy by its name.

    | name | parameters |
    |---|---|
    | `"simclr"` | strength=0.5, blur=0.0, area=(0.08, 1.0) |
    | `"moco_v1"` | area=(0.2, 1.0) |
    | `"moco_v2"` | blur=0.5, area=(0.2, 1.0) |
    | `"weak"` | area=(0.2, 1.0) |
    | `"identity"` | |
    | `"graded_0"` to `"graded_9"` | |
    | any of them | size=None, noise=0.0 |

    `strength` scales the jitter: 0.5 on CIFAR-10, 1 on ImageNet. `blur` is the
    probability of a blur with sigma from 0.1 to 2 pixels: 0 on CIFAR-10, 0.5
    on ImageNet. `area` is the range of the crop's fraction of the image.

    Args:
        name: str.
        size: int, or pair of ints (height, width), of the views in pixels; by
            default the images'.
        noise: float in [0, 1], standard deviation of Gaussian noise on every
            value of every view, on the scale [0, 1] of the images; 0 for
            none, which costs nothing.
        **parameters: what the policy's parameters shall be instead.

    Returns:
        `Policy`, called as `policy(images, seed=, step=, view=)`.

    Raises:
        ValueError: an unknown name, or a parameter unknown or out of range.

    Example:

    ```python
    import numpy as np
    from keras_contrastive import views

    images = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), "uint8")
    policy = views.policy("simclr", strength=1.0, blur=0.5, size=96)
    view = policy(images, seed=0, step=0, view=0)  # (4, 96, 96, 3)
    ```

    References:
        - Chen et al. 2020 (simclr), https://arxiv.org/abs/2002.05709
        - He et al. 2019 (moco_v1), https://arxiv.org/abs/1911.05722
        - Chen et al. 2020 (moco_v2), https://arxiv.org/abs/2003.04297
    """
    if name not in _TRANSFORMATIONS:
        raise ValueError(
            f"`name` must be one of {', '.join(_TRANSFORMATIONS)}, received "
            f"{name!r}; views.Policy composes others."
        )
    try:
        transformations = _TRANSFORMATIONS[name](**parameters)
    except TypeError as error:
        raise ValueError(
            f"The policy {name!r} does not take the parameters "
            f"{sorted(parameters)}: {error}."
        ) from error
    if check_fraction("noise", noise):
        transformations.append(Noise((noise, noise), probability=1.0))
    return Policy(transformations, size=size)


def policies(members, size=None):
    """Returns several policies as one, for batches that carry policy ids.

    Args:
        members: sequence of names and `Policy` objects, in the order of
            their ids.
        size: as for `policy`, for the names among them.

    Returns:
        `PolicySet`, called as `policies(images, seed=, step=, view=,
        policy_ids=)`.

    Raises:
        ValueError: an unknown name, or policies of different sizes.

    Example:

    ```python
    from keras_contrastive import views

    ten = views.policies([f"graded_{k}" for k in range(10)])
    ```
    """
    return PolicySet(
        [
            policy(member, size=size) if isinstance(member, str) else member
            for member in members
        ]
    )


def _simclr(strength=0.5, blur=0.0, area=(0.08, 1.0)):
    strength = check_fraction("strength", strength, most=2.5)
    jitter = ColorJitter(
        brightness=0.8 * strength,
        contrast=0.8 * strength,
        saturation=0.8 * strength,
        hue=0.2 * strength,
        probability=0.8,
    )
    return [
        ResizedCrop(area=area),
        jitter,
        Grayscale(probability=0.2),
        GaussianBlur(sigma=(0.1, 2.0), probability=blur),
    ]


def _moco_v1(area=(0.2, 1.0)):
    return [
        ResizedCrop(area=area),
        Grayscale(probability=0.2),
        ColorJitter(0.4, 0.4, 0.4, 0.4, probability=1.0),
    ]


def _moco_v2(blur=0.5, area=(0.2, 1.0)):
    return [
        ResizedCrop(area=area),
        ColorJitter(0.4, 0.4, 0.4, 0.1, probability=0.8),
        Grayscale(probability=0.2),
        GaussianBlur(sigma=(0.1, 2.0), probability=blur),
    ]


def _weak(area=(0.2, 1.0)):
    return [ResizedCrop(area=area)]


def _identity():
    return [Identity()]


def _graded(level):
    strength = (level + 1) / 10

    def transformations():
        crop, jitter, grayscale, _ = _simclr(
            strength, area=(1.0 - 0.92 * strength, 1.0)
        )
        return [crop, jitter, Grayscale(grayscale.probability * strength)]

    return transformations


_TRANSFORMATIONS = {
    "simclr": _simclr,
    "moco_v1": _moco_v1,
    "moco_v2": _moco_v2,
    "weak": _weak,
    "identity": _identity,
    **{f"graded_{level}": _graded(level) for level in range(10)},
}
