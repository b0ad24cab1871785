"""The Kullback-Leibler divergence of diagonal Gaussians, in closed form.

    KL(N(m, v) || N(0, I)) = sum over dimensions of (m^2 + v - 1 - log v) / 2

The source's "negative degrees of freedom" is not it. As a loss it draws the
distribution of embeddings towards the standard normal.

Reference: Kingma and Welling 2013, appendix B, https://arxiv.org/abs/1312.6114
"""

import keras
from keras import ops

from keras_contrastive.losses.cosine import raised
from keras_contrastive.losses.tensors import as_rows
from keras_contrastive.losses.tensors import as_tensor

# Below this a variance counts as this: the logarithm stays finite.
_SMALLEST_VARIANCE = 1e-12


def gaussian_kl(mean, variance, other_mean=0.0, other_variance=1.0):
    """KL divergence of diagonal Gaussians from the standard normal.

    `sum((m^2 + v - 1 - log v) / 2)` over the last axis; or, from another
    diagonal Gaussian, `sum(log(w / v) + (v + (m - n)^2) / w - 1) / 2`.

    Args:
        mean: float tensor `(..., dim)`.
        variance: float tensor `(..., dim)`, not negative.
        other_mean: float, or tensor that broadcasts, mean of the other.
        other_variance: float > 0, or tensor that broadcasts.

    Returns:
        Tensor `(...)`, in nats.

    Raises:
        ValueError: if the shapes of mean and variance differ.

    Example:

    >>> float(gaussian_kl(np.array([[3.0, 1.0]]), np.ones((1, 2)))[0])
    5.0

    Reference:
        Kingma and Welling 2013, https://arxiv.org/abs/1312.6114
    """
    mean = raised(as_tensor("mean", mean))
    variance = raised(as_tensor("variance", variance))
    if tuple(mean.shape) != tuple(variance.shape):
        raise ValueError(
            "`mean` and `variance` must have one shape, received "
            f"{tuple(mean.shape)} and {tuple(variance.shape)}."
        )
    variance = ops.maximum(variance, _SMALLEST_VARIANCE)
    other_variance = ops.cast(other_variance, variance.dtype)
    squared = ops.square(mean - ops.cast(other_mean, mean.dtype))
    terms = (
        ops.log(other_variance / variance)
        + (variance + squared) / other_variance
        - 1.0
    )
    return 0.5 * ops.sum(terms, axis=-1)


def batch_gaussian_kl(embeddings):
    """KL divergence of a batch's diagonal Gaussian from the standard normal.

    The Gaussian has the mean and the variance of each column: the `q` of the
    first source's consistency loss. It belongs to the batch as a whole, so
    that several replicas must gather theirs first.

    Args:
        embeddings: float tensor `(batch, dim)`, the whole batch.

    Returns:
        Scalar tensor, in nats.

    Example:

    >>> standard = np.array([[-1.0], [1.0]], "float32")
    >>> float(batch_gaussian_kl(standard))
    0.0
    """
    embeddings = raised(as_rows("embeddings", embeddings))
    mean = ops.mean(embeddings, axis=0)
    variance = ops.mean(ops.square(embeddings - mean), axis=0)
    return gaussian_kl(mean, variance)


@keras.saving.register_keras_serializable(package="keras_contrastive")
class GaussianKL(keras.losses.Loss):
    """KL divergence of Gaussians for Keras: `loss(variances, means)`.

    Args:
        reduction: how rows become a value, as in any Keras loss.
        name: name of the loss.
        dtype: dtype of the computation, float32 by default.

    Example:

    >>> loss = GaussianKL()
    >>> float(loss(np.ones((2, 3)), np.ones((2, 3))))
    1.5
    """

    def __init__(
        self, reduction="sum_over_batch_size", name="gaussian_kl", dtype=None
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, variances, means):
        return gaussian_kl(means, variances)
