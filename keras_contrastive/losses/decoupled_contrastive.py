"""Decoupled contrastive learning: the positive leaves the denominator.

    loss_i = -w_i s_ip / T + log( sum over negatives j of exp(s_ij / T) )

with the negatives j all views of the other images. w_i is 1 (DCL), or
2 - N exp(s_ip / sigma) / sum over images k of exp(s_kp / sigma) (DCLW): more
weight for pairs that are still far apart.

Reference: Yeh et al. 2021, https://arxiv.org/abs/2110.06848
"""

import keras
from keras import ops

from keras_contrastive.losses.cosine import paired_cosines
from keras_contrastive.losses.temperature import check_temperature
from keras_contrastive.losses.view_similarities import view_similarities
from keras_contrastive.losses.view_similarities import without


def decoupled_contrastive(
    view_1,
    view_2,
    temperature=0.1,
    sigma=None,
    *,
    candidates_1=None,
    candidates_2=None,
    positions=None,
):
    """Decoupled contrastive loss: NT-Xent without its coupling factor.

    `loss_i = -w_i s_ip / T + log(sum_j exp(s_ij / T))` over the 2N - 2 views
    of other images; `w_i = 1`, or by the paper's eq. 6 where `sigma` is
    given (DCLW). The weights are constants to the gradient.

    Args:
        view_1: float tensor `(batch, dim)`, one view of each image, any norm.
        view_2: float tensor `(batch, dim)`, the other view of each image.
        temperature: float > 0; 0.1 in the paper.
        sigma: float > 0, the spread of the weights, 0.5 in the paper; None
            for no weights.
        candidates_1: as in `losses.nt_xent`.
        candidates_2: as in `losses.nt_xent`.
        positions: as in `losses.nt_xent`.

    Returns:
        Tensor `(2 * batch,)`, one loss a row, rows of view 1 first; 0 for a
        batch of one image, which has no negatives.

    Raises:
        ValueError: if temperature or sigma is not positive, or shapes do not
            agree.

    Example:

    >>> view = np.eye(4, dtype="float32")
    >>> rows = decoupled_contrastive(view, view, temperature=0.5)
    >>> round(float(rows[0]), 4)
    -0.2082

    Reference:
        Yeh et al. 2021, https://arxiv.org/abs/2110.06848
    """
    check_temperature(temperature)
    if sigma is not None:
        check_temperature(sigma, "sigma", "the paper uses 0.5")
    similarities, partners, positives = view_similarities(
        view_1, view_2, candidates_1, candidates_2, positions
    )
    negatives = without(similarities, partners)
    weights = 1.0
    if sigma is not None:
        weights = _weights(
            positives,
            view_1 if candidates_1 is None else candidates_1,
            view_2 if candidates_2 is None else candidates_2,
            sigma,
        )
    rows = (
        ops.logsumexp(negatives / temperature, axis=1)
        - weights * positives / temperature
    )
    has_negatives = ops.shape(similarities)[1] > 2
    return ops.where(has_negatives, rows, ops.zeros_like(rows))


def _weights(positives, candidates_1, candidates_2, sigma):
    """Weights around 1, higher for pairs that are further apart."""
    pairs = paired_cosines(candidates_1, candidates_2)
    mean = ops.mean(ops.exp(pairs / sigma))
    return ops.stop_gradient(2.0 - ops.exp(positives / sigma) / mean)


@keras.saving.register_keras_serializable(package="keras_contrastive")
class DecoupledContrastive(keras.losses.Loss):
    """The decoupled contrastive loss for Keras: `loss(view_1, view_2)`.

    Args:
        temperature: float > 0; 0.1 in the paper.
        sigma: float > 0, the spread of the weights (DCLW), or None (DCL).
        reduction: how rows become a value, as in any Keras loss.
        name: name of the loss.
        dtype: dtype of the computation, float32 by default.

    Raises:
        ValueError: if temperature or sigma is not positive.

    Example:

    >>> loss = DecoupledContrastive(temperature=0.5)
    >>> view = np.eye(4, dtype="float32")
    >>> round(float(loss(view, view)), 4)
    -0.2082

    Reference:
        Yeh et al. 2021, https://arxiv.org/abs/2110.06848
    """

    def __init__(
        self,
        temperature=0.1,
        sigma=None,
        reduction="sum_over_batch_size",
        name="decoupled_contrastive",
        dtype=None,
    ):
        check_temperature(temperature)
        if sigma is not None:
            check_temperature(sigma, "sigma", "the paper uses 0.5")
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.temperature = temperature
        self.sigma = sigma

    def call(self, view_1, view_2):
        return decoupled_contrastive(
            view_1, view_2, self.temperature, self.sigma
        )

    def get_config(self):
        config = {"temperature": self.temperature, "sigma": self.sigma}
        return {**super().get_config(), **config}
