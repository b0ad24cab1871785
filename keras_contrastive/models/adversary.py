"""An adversary: the change of an image that hurts the loss most.

    x' = x + delta,  |delta| <= epsilon in every value,  x' in [0, 1]
    delta <- clip(delta + step_size sign(gradient of the loss))

One step of the size epsilon is the fast gradient sign method (FGSM), several
smaller ones are projected gradient descent (PGD).

References: Goodfellow et al. 2015, https://arxiv.org/abs/1412.6572
Madry et al. 2018, https://arxiv.org/abs/1706.06083
"""

import numbers

import keras
from keras import ops

from keras_contrastive.models import streams
from keras_contrastive.views.configurable import Configurable
from keras_contrastive.views.draws import Draws


@keras.saving.register_keras_serializable(package="keras_contrastive")
class Adversary(Configurable):
    """How views are attacked, and how much the attacked ones count.

    Given to `SimCLR` or `MoCo`, it makes their loss

        loss = clean loss + weight * adversarial loss,

    where the adversarial loss is the method's own with one view of an image
    in adversarial form, and the attack raises just that loss. Adversarial
    views have batch statistics, scale and shift of their own.

    Args:
        epsilon: float >= 0, the most that a value changes by, on the scale
            [0, 1] of the views; CLAE uses 0.03, RoCL 8/255.
        steps: int >= 1; 1 is FGSM, as in CLAE, more are PGD; RoCL takes 7.
        step_size: float > 0, or None for the smaller of `epsilon` and
            `2.5 * epsilon / steps`, which reaches every corner.
        weight: float >= 0, the share of the adversarial loss; 1 in CLAE
            (its alpha).
        share: float in (0, 1], the part of a batch's images that is
            attacked, drawn anew in each step, all images alike. The
            adversarial loss is the mean over these; the others cost nothing.
        random_start: bool, whether the attack starts at a random point of
            the ball, not at the view itself.

    Raises:
        ValueError: for a number out of range.

    Example:

    ```python
    adversary = models.Adversary(epsilon=8 / 255, steps=7, random_start=True)
    model = models.SimCLR(encoders.two_conv(), adversary=adversary)
    model.compile(optimizer=keras.optimizers.Adam(1e-3))
    model.fit(images, batch_size=256, epochs=10)
    ```

    References:
        - Ho and Vasconcelos 2020 (CLAE), https://arxiv.org/abs/2010.12050
        - Kim et al. 2020 (RoCL), https://arxiv.org/abs/2006.07589
        - Xie et al. 2020 (AdvProp), https://arxiv.org/abs/1911.09665
    """

    def __init__(
        self,
        epsilon=8 / 255,
        steps=1,
        step_size=None,
        weight=1.0,
        share=1.0,
        random_start=False,
    ):
        _check_not_negative("epsilon", epsilon, "CLAE uses 0.03")
        _check_not_negative("weight", weight, "CLAE uses 1")
        if not isinstance(steps, numbers.Real) or steps < 1 or steps % 1:
            raise ValueError(
                "`steps` must be a whole number of at least 1, received "
                f"{steps!r}; 1 is FGSM, RoCL takes 7."
            )
        if step_size is not None and not _is_above(0, step_size):
            raise ValueError(
                f"`step_size` must be positive or None, received {step_size}; "
                "RoCL uses 0.007."
            )
        if not _is_above(0, share) or share > 1:
            raise ValueError(
                f"`share` must be above 0 and at most 1, received {share!r}; 1 "
                "attacks all images of a batch."
            )
        self.epsilon = epsilon
        self.steps = int(steps)
        self.step_size = step_size
        self.weight = weight
        self.share = share
        self.random_start = random_start

    def choose(self, positions, seed, step):
        """Draws which images of a batch are attacked.

        A replica draws its share among its own images.

        Args:
            positions: int32 tensor `(N,)`, where the images stand in the
                global batch.
            seed: int.
            step: int32 scalar tensor, the training step.

        Returns:
            int32 tensor `(M,)`, rows of the batch, M the rounded share of N,
            at least one.
        """
        count = ops.shape(positions)[0]
        if self.share == 1:
            return ops.arange(count, dtype="int32")
        draws = _draws(positions, seed, step).per_image(1)
        order = ops.cast(ops.argsort(draws[:, 0]), "int32")
        if isinstance(count, int):
            return order[: max(1, round(self.share * count))]
        chosen = ops.round(self.share * ops.cast(count, "float32"))
        return order[: ops.maximum(ops.cast(chosen, "int32"), 1)]

    def attack(self, images, gradient_of, positions, seed, step):
        """Changes images so that a loss grows.

        Args:
            images: float32 tensor `(M, h, w, C)` in [0, 1].
            gradient_of: function from images to the gradient of the loss
                with respect to them; only its signs count.
            positions: int32 tensor `(M,)`, of the random start.
            seed: int, of the random start.
            step: int32 scalar tensor, the training step.

        Returns:
            float32 tensor `(M, h, w, C)` in [0, 1], without gradient.
        """
        least = ops.maximum(images - self.epsilon, 0.0)
        most = ops.minimum(images + self.epsilon, 1.0)
        size = self.step_size
        if size is None:
            size = self.epsilon * min(1.0, 2.5 / self.steps)
        attacked = images
        if self.random_start:
            draws = _draws(positions, seed, step).per_value(images.shape[1:])
            attacked = images + self.epsilon * (2.0 * draws - 1.0)
            attacked = ops.minimum(ops.maximum(attacked, least), most)
        for _ in range(self.steps):
            moved = attacked + size * ops.sign(gradient_of(attacked))
            attacked = ops.minimum(ops.maximum(moved, least), most)
        return ops.stop_gradient(attacked)


def _draws(positions, seed, step):
    return Draws(
        positions=positions,
        seed=seed,
        step=step,
        view=0,
        stream=streams.ADVERSARY,
    )


def _is_above(least, value):
    return isinstance(value, numbers.Real) and value > least


def _check_not_negative(name, value, advice):
    if not (isinstance(value, numbers.Real) and value >= 0):
        raise ValueError(
            f"`{name}` must be a number that is not negative, received "
            f"{value!r}; {advice}."
        )
