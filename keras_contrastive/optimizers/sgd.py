"""SGD with weight decay inside the gradient, as published recipes have it.

    g = gradient + weight_decay w;    v = momentum v - rate g;    w = w + v

Keras's own weight decay is decoupled: it takes `rate weight_decay w` from the
weights beside the momentum, another algorithm with other best values.
"""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_contrastive")
class SGD(keras.optimizers.SGD):
    """keras.optimizers.SGD with coupled (L2) weight decay.

    What PyTorch's SGD does with `weight_decay`, and with it the recipes of
    MoCo, SimSiam and SupCon: the decay is part of the gradient and goes
    through the momentum. It acts on every trainable variable, scale and
    shift of normalization layers included, unless `decay_vectors` is False.

    Args:
        learning_rate: float, or a schedule.
        momentum: float in [0, 1].
        weight_decay: float >= 0, added to the gradient times the weights;
            5e-4 on CIFAR-10, 1e-4 on ImageNet.
        nesterov: bool, whether to look ahead.
        decay_vectors: bool, whether variables of one dimension or none
            decay too.
        name: str.
        **kwargs: what else keras.optimizers.Optimizer takes.

    Raises:
        ValueError: for a negative weight decay.

    Example:

    >>> optimizer = SGD(0.06, momentum=0.9, weight_decay=5e-4)
    >>> optimizer.get_config()["weight_decay"]
    0.0005

    Reference:
        Loshchilov and Hutter 2017, section 2, on the difference,
        https://arxiv.org/abs/1711.05101
    """

    def __init__(
        self,
        learning_rate=0.01,
        momentum=0.9,
        weight_decay=0.0,
        nesterov=False,
        decay_vectors=True,
        name="sgd",
        **kwargs,
    ):
        check_weight_decay(weight_decay)
        super().__init__(
            learning_rate=learning_rate,
            momentum=momentum,
            nesterov=nesterov,
            name=name,
            **kwargs,
        )
        self.coupled_weight_decay = weight_decay
        self.decay_vectors = decay_vectors

    def update_step(self, gradient, variable, learning_rate):
        if self.decay_vectors or not is_vector(variable):
            decay = ops.cast(self.coupled_weight_decay, variable.dtype)
            gradient = ops.cast(gradient, variable.dtype) + decay * variable
        super().update_step(gradient, variable, learning_rate)

    def get_config(self):
        return {
            **super().get_config(),
            "weight_decay": self.coupled_weight_decay,
            "decay_vectors": self.decay_vectors,
        }


def is_vector(variable):
    """Whether a variable is a bias, or a scale or shift: one dimension or none.

    Args:
        variable: keras.Variable.

    Returns:
        bool. Names are never asked: Keras's are the same in many layers.
    """
    return len(variable.shape) <= 1


def check_weight_decay(weight_decay):
    """Refuses a weight decay below zero.

    Args:
        weight_decay: float.

    Raises:
        ValueError: if it is negative or not a number.
    """
    if not weight_decay >= 0:
        raise ValueError(
            f"`weight_decay` must be at least zero, received {weight_decay}."
        )
