"""Batch normalization with the published recipes' defaults, at full speed.

    y = gamma * (x - mean) / sqrt(variance + epsilon) + beta

with the batch's own moments in training, and their moving averages in
inference.
"""

import keras
from keras import ops

from keras_contrastive.distribution import replicas
from keras_contrastive.layers import row_normalization


@keras.saving.register_keras_serializable(package="keras_contrastive")
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras' batch normalization, by the backend's fused kernel.

    Mathematics, weights and configuration are those of
    `keras.layers.BatchNormalization`; weights can be exchanged with it. There
    are four differences:

    - On TensorFlow it runs as one fused kernel, where Keras takes five passes
      over the inputs. A mask, another axis than the last, float64 and
      `renorm` are left to Keras.
    - Momentum and epsilon are those of the published recipes of
      self-supervised learning, 0.9 and 1e-5 (Keras: 0.99 and 1e-3).
    - Under a `tf.distribute` strategy the moving statistics are averaged over
      the replicas, so that every replica holds, and saves, the same.
    - `synchronized` is taken on every backend, and its variance is a sum of
      squares about the mean of all replicas. Weights and files are the same
      with it and without: what began on several devices can go on on one.

    Args:
        axis: int, the axis of the channels.
        momentum: float in [0, 1], the share of the old value in each update
            of the moving statistics.
        epsilon: float > 0, added to the variance.
        synchronized: bool, whether the moments are those of the rows of all
            replicas of a `tf.distribute` strategy, so that they normalize as
            one would.
        **kwargs: the other arguments of `keras.layers.BatchNormalization`.

    Example:

    >>> layer = BatchNormalization()
    >>> outputs = layer(np.array([[1.0], [3.0]]), training=True)
    >>> np.round(np.array(outputs), 3).tolist()
    [[-1.0], [1.0]]
    >>> layer.moving_mean.numpy().round(3)
    array([0.2], dtype=float32)

    Reference:
        [Ioffe and Szegedy, 2015](https://arxiv.org/abs/1502.03167).
    """

    def __init__(
        self,
        axis=-1,
        momentum=0.9,
        epsilon=1e-5,
        synchronized=False,
        **kwargs,
    ):
        super().__init__(
            axis=axis, momentum=momentum, epsilon=epsilon, **kwargs
        )
        # Keras refuses it where there is no tf.distribute; there it is true.
        self.synchronized = synchronized

    def call(self, inputs, training=None, mask=None):
        ours = self._fuses(inputs) or self._synchronizes(inputs)
        if mask is not None or self.renorm or not ours:
            return super().call(inputs, training=training, mask=mask)
        if not (training and self.trainable):
            dtype = row_normalization.moments_dtype(inputs)
            scale, offset = self._as_scale_and_offset(
                *self._affine(dtype), *self._moving_moments(dtype)
            )
            return self._scale_channels(inputs, scale, offset)
        alone = replicas.count() == 1 or not self._synchronizes(inputs)
        if alone and self._fuses(inputs):
            return self._normalize_by_batch(inputs)
        return self._normalize_by_all_rows(inputs)

    def _synchronizes(self, inputs):
        return self.synchronized and self._ends_in_channels(inputs)

    def _fuses(self, inputs):
        return (
            keras.backend.backend() == "tensorflow"
            and inputs.dtype == self.compute_dtype
            and inputs.dtype in ("float32", "float16", "bfloat16")
            and self._ends_in_channels(inputs)
        )

    def _ends_in_channels(self, inputs):
        return self.axis in (-1, len(inputs.shape) - 1)

    def _normalize_by_batch(self, inputs):
        from keras_contrastive.layers import fused_tensorflow

        outputs, mean, variance = fused_tensorflow.batch_normalization(
            inputs, *self._affine("float32"), self.epsilon
        )
        share = 1.0 / replicas.count()
        self._move(
            replicas.all_sum(mean) * share, replicas.all_sum(variance) * share
        )
        return outputs

    def _normalize_by_all_rows(self, inputs):
        """By the moments of the rows of all replicas."""
        inputs = ops.cast(inputs, self.compute_dtype)
        dtype = row_normalization.moments_dtype(inputs)

        def transform(row_mean, row_variance, gamma, beta):
            # How many there are is the last of the sums.
            counted = ops.pad(row_mean, ((0, 0), (0, 1)), constant_values=1.0)
            sums = replicas.all_sum(ops.sum(counted, axis=0))
            mean, rows = sums[:-1] / sums[-1], sums[-1]
            squares = row_variance + ops.square(row_mean - mean)
            variance = replicas.all_sum(ops.sum(squares, axis=0)) / rows
            scale = gamma * ops.rsqrt(variance + self.epsilon)
            scale = scale + ops.zeros_like(row_mean)
            offset = (row_mean - mean) * scale + beta
            return scale, offset, [mean, variance]

        outputs, (mean, variance) = row_normalization.normalize_rows(
            inputs, transform, self._affine(dtype)
        )
        self._move(mean, variance)
        return outputs

    def _affine(self, dtype):
        """Gamma and beta as tensors, ones and zeros where there are none."""
        shape = self.moving_mean.shape[-1:]
        gamma = self.gamma if self.scale else ops.ones(shape)
        beta = self.beta if self.center else ops.zeros(shape)
        return ops.cast(gamma, dtype), ops.cast(beta, dtype)

    def _moving_moments(self, dtype):
        return (
            ops.cast(self.moving_mean, dtype),
            ops.cast(self.moving_variance, dtype),
        )

    def _as_scale_and_offset(self, gamma, beta, mean, variance):
        """The affine map `x * scale + offset` that inference is."""
        scale = gamma * ops.rsqrt(variance + self.epsilon)
        return scale, beta - mean * scale

    def _scale_channels(self, inputs, scale, offset):
        if self._fuses(inputs):
            from keras_contrastive.layers import fused_tensorflow

            return fused_tensorflow.scale_channels(inputs, scale, offset)
        outputs = ops.cast(inputs, scale.dtype) * scale + offset
        return ops.cast(outputs, self.compute_dtype)

    def _move(self, mean, variance):
        self.moving_mean.assign(self._moved(self.moving_mean, mean))
        self.moving_variance.assign(self._moved(self.moving_variance, variance))

    def _moved(self, moving, value):
        """What one step makes of a moving average."""
        old = ops.cast(moving, value.dtype)
        return old * self.momentum + value * (1.0 - self.momentum)
