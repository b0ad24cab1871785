"""LARS: each layer moves by a share of its own length.

    trust = eta ||w|| / (||g|| + weight_decay ||w||)
    v = momentum v + rate trust (g + weight_decay w);    w = w - v

Reference: You, Gitman and Ginsburg 2017, algorithm 1,
https://arxiv.org/abs/1708.03888
"""

import keras
from keras import ops

from keras_contrastive.optimizers.sgd import check_weight_decay
from keras_contrastive.optimizers.sgd import is_vector


@keras.saving.register_keras_serializable(package="keras_contrastive")
class LARS(keras.optimizers.Optimizer):
    """Layer-wise adaptive rate scaling, for batches of thousands.

    `v = momentum v + rate trust (g + weight_decay w)`, `w = w - v` with
    `trust = eta ||w|| / (||g|| + weight_decay ||w||)`. Variables of one
    dimension or none (biases, scale and shift of normalization) neither
    decay nor scale, told by their shape. Where weights or gradient are zero,
    trust is 1. (SimCLR's code divides by `||g + weight_decay w||` instead.)

    Args:
        learning_rate: float, or a schedule; SimCLR takes 0.3 times the batch
            size over 256.
        momentum: float in [0, 1).
        weight_decay: float >= 0; 1e-6 in SimCLR, 1e-4 on CIFAR-10.
        trust_coefficient: float > 0, the paper's eta.
        nesterov: bool, whether to look ahead.
        name: str.
        **kwargs: what else keras.optimizers.Optimizer takes.

    Raises:
        ValueError: for a number out of range.

    Example:

    >>> variable = keras.Variable([[3.0, 4.0]])
    >>> optimizer = LARS(1.0, weight_decay=0.0, trust_coefficient=0.1)
    >>> optimizer.apply([np.array([[0.0, 7.0]], "float32")], [variable])
    >>> [round(float(each), 4) for each in variable.value[0]]
    [3.0, 3.5]

    References:
        - You, Gitman and Ginsburg 2017, https://arxiv.org/abs/1708.03888
        - Chen et al. 2020 (SimCLR), https://arxiv.org/abs/2002.05709
    """

    def __init__(
        self,
        learning_rate=1.0,
        momentum=0.9,
        weight_decay=1e-6,
        trust_coefficient=1e-3,
        nesterov=False,
        name="lars",
        **kwargs,
    ):
        check_weight_decay(weight_decay)
        if not 0 <= momentum < 1:
            raise ValueError(
                f"`momentum` must be from 0 to below 1, received {momentum}."
            )
        if not trust_coefficient > 0:
            raise ValueError(
                "`trust_coefficient` must be positive, received "
                f"{trust_coefficient}; 0.001 is the usual one."
            )
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.momentum = momentum
        self.coupled_weight_decay = weight_decay
        self.trust_coefficient = trust_coefficient
        self.nesterov = nesterov

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.velocities = self.add_optimizer_variables(variables, "velocity")

    def update_step(self, gradient, variable, learning_rate):
        velocity = self.velocities[self._get_variable_index(variable)]
        rate = ops.cast(learning_rate, variable.dtype)
        gradient = ops.cast(gradient, variable.dtype)
        momentum = ops.cast(self.momentum, variable.dtype)
        if not is_vector(variable):
            gradient = self._adapted(gradient, variable)
        moved = momentum * velocity + rate * gradient
        self.assign(velocity, moved)
        if self.nesterov:
            moved = momentum * moved + rate * gradient
        self.assign_sub(variable, moved)

    def get_config(self):
        return {
            **super().get_config(),
            "momentum": self.momentum,
            "weight_decay": self.coupled_weight_decay,
            "trust_coefficient": self.trust_coefficient,
            "nesterov": self.nesterov,
        }

    def _adapted(self, gradient, variable):
        """The gradient with decay, as long as trust makes it."""
        decay = ops.cast(self.coupled_weight_decay, variable.dtype)
        weights = ops.convert_to_tensor(variable)
        weight_norm = ops.sqrt(ops.sum(ops.square(weights)))
        gradient_norm = ops.sqrt(ops.sum(ops.square(gradient)))
        whole = gradient_norm + decay * weight_norm
        defined = ops.logical_and(weight_norm > 0, gradient_norm > 0)
        trust = self.trust_coefficient * weight_norm
        trust = trust / ops.where(defined, whole, ops.ones_like(whole))
        trust = ops.where(defined, trust, ops.ones_like(trust))
        return trust * (gradient + decay * weights)
