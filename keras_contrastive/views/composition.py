"""View policies: random transformations, one after the other, in one pass.

Each image's choices come from the counter hash of (seed, step, position,
view), so that the same call gives the same views again, in any batch and on
any replica. Several policies in one batch are one pass as well: every
parameter is an array over the policies, gathered by each row's policy id.
"""

import keras
from keras import ops

from keras_contrastive.views import inputs
from keras_contrastive.views import stages
from keras_contrastive.views.configurable import Configurable
from keras_contrastive.views.draws import Draws
from keras_contrastive.views.resized_crop import ResizedCrop


class ViewPolicy(Configurable):
    """What makes a random view of each image of a batch; base of the two.

    Attributes:
        size: `(height, width)` of the views in pixels, or None for the
            images' own.
    """

    def __call__(
        self, images, *, seed, step, view, positions=None, policy_ids=None
    ):
        """Makes one random view of each image.

        Args:
            images: uint8, or float in [0, 1], `(batch, height, width,
                channels)`. Values are checked in NumPy arrays only.
            seed: int.
            step: int or int32 scalar tensor, the training step.
            view: int, which of an image's views this is.
            positions: int32 `(batch,)`, where the rows stand in the global
                batch; by default 0..batch - 1.
            policy_ids: int32 `(batch,)`, which policy of a `PolicySet` makes
                each row's view, their range checked in NumPy arrays only; a
                single `Policy` ignores them, since a batch may carry them.

        Returns:
            float32 `(batch, *size, channels)` in [0, 1].

        Raises:
            ValueError: images of another data type, rank or range; policy ids
                missing or out of range.
        """
        images = inputs.to_unit_floats(images)
        policy_ids = self._ids_of_rows(policy_ids)
        size = self.size or tuple(images.shape[1:3])
        if positions is None:
            positions = ops.arange(ops.shape(images)[0], dtype="int32")
        place = {"seed": seed, "step": step, "view": view}
        for stage in self._stages:
            if stage.idle and size == tuple(images.shape[1:3]):
                continue
            choices = stage.kind.sample(
                Draws(positions=positions, stream=stage.kind.stream, **place),
                _gather(stage.parameters, policy_ids),
                tuple(images.shape[1:]),
            )
            if stage.kind is ResizedCrop:
                choices["size"] = size
            images = stage.kind.apply(images, **choices)
        # Rounding can lead out of the interval, by the last bit.
        return ops.clip(images, 0.0, 1.0)

    def _ids_of_rows(self, policy_ids):
        """Each row's policy id, or None where all rows have one policy."""
        return None


@keras.saving.register_keras_serializable(package="keras_contrastive")
class Policy(ViewPolicy):
    """Random transformations, applied to each image one after the other.

    Args:
        transformations: sequence of `Transformation`, in order; a
            `ResizedCrop`, if any, comes first, and no kind comes twice. The
            published order is crop, jitter, grayscale, blur, solarize, noise,
            cutout.
        size: int, or pair of ints (height, width), of the views in pixels; by
            default the images'. Without a `ResizedCrop`, images of another
            size are resized whole.

    Raises:
        ValueError: the order or the size is impossible, or two kinds share a
            stream of random numbers.

    Example:

    ```python
    import numpy as np
    from keras_contrastive import views

    images = np.random.default_rng(0).integers(0, 256, (4, 40, 60, 3), "uint8")
    policy = views.Policy(
        [views.ResizedCrop(), views.ColorJitter(), views.Grayscale()], size=32
    )
    view_1 = policy(images, seed=0, step=0, view=0)  # (4, 32, 32, 3)
    view_2 = policy(images, seed=0, step=0, view=1)
    ```
    """

    def __init__(self, transformations, size=None):
        self.transformations = tuple(transformations)
        self.size = _pair(size)
        kinds = [type(t) for t in self.transformations]
        if len(set(kinds)) < len(kinds):
            raise ValueError(
                "`transformations` must be of different kinds, received "
                f"{self.transformations!r}; a kind draws its random numbers "
                "once for a view."
            )
        if ResizedCrop in kinds[1:]:
            raise ValueError(
                "`transformations` must begin with the ResizedCrop, which "
                f"makes the view's size, received {self.transformations!r}."
            )
        _check_streams([type(t) for t in self.transformations if not t.idle])
        self._stages = stages.combine([self.transformations])


@keras.saving.register_keras_serializable(package="keras_contrastive")
class PolicySet(ViewPolicy):
    """Several policies in one batch: each row's id says which one is its own.

    All rows go through one pass, whose cost does not grow with the number of
    policies: only with the kinds of transformation that any of them uses. A
    row's view is the one that its policy alone would make.

    Args:
        policies: sequence of `Policy`, all of one size.

    Raises:
        ValueError: no policies, or of different sizes.

    Example:

    ```python
    import numpy as np
    from keras_contrastive import views

    images = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), "uint8")
    policies = views.policies(["weak", "simclr"])
    ids = np.array([0, 1, 0, 1], "int32")
    view = policies(images, seed=0, step=0, view=0, policy_ids=ids)
    ```
    """

    def __init__(self, policies):
        self.policies = tuple(policies)
        sizes = [policy.size for policy in self.policies]
        if len(set(sizes)) != 1:
            raise ValueError(
                "`policies` must be one or more, with views of one size, "
                f"received sizes {sizes!r}."
            )
        self.size = sizes[0]
        self._stages = stages.combine(
            [policy.transformations for policy in self.policies]
        )

    def _ids_of_rows(self, policy_ids):
        return inputs.to_ids(policy_ids, len(self.policies))


def _check_streams(kinds):
    """Refuses kinds of transformation that would share random numbers."""
    streams = {}
    for kind in kinds:
        other = streams.setdefault(kind.stream, kind)
        if not isinstance(kind.stream, int) or other is not kind:
            taken = "" if other is kind else f", which {other.__name__} has"
            raise ValueError(
                f"`stream` of {kind.__name__} must be a number of its own, "
                f"received {kind.stream!r}{taken}; state it in the class, "
                "such as `stream = 100`."
            )


def _pair(size):
    """A size as None or (height, width)."""
    if size is None:
        return None
    height, width = (size, size) if isinstance(size, int) else size
    if not (height > 0 and width > 0):
        raise ValueError(
            "`size` must be a positive number of pixels, a pair of them, or "
            f"None, received {size!r}."
        )
    return int(height), int(width)


def _gather(parameters, policy_ids):
    """Each row's parameters `(batch,)`, or `(1,)` where there is one policy."""
    parameters = {
        name: ops.convert_to_tensor(values)
        for name, values in parameters.items()
    }
    if policy_ids is None:
        return parameters
    return {
        name: ops.take(values, policy_ids, axis=0)
        for name, values in parameters.items()
    }
