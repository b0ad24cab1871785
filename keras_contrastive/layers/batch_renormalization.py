"""Batch renormalization: training with almost the statistics of inference.

    y = gamma * ((x - mean_B) / std_B * r + d) + beta
    r = clip(std_B / std, 1 / r_max, r_max)
    d = clip((mean_B - mean) / std, -d_max, d_max)

with the batch's moments mean_B, std_B and moving ones mean, std; r and d
carry no gradient. With r_max = 1 and d_max = 0 it is batch normalization.
"""

import keras
from keras import ops

from keras_contrastive.distribution import replicas
from keras_contrastive.layers import row_normalization
from keras_contrastive.layers.batch_normalization import BatchNormalization

# Where the paper's r_max and d_max begin to grow and reach their ends, in
# the 40,000 steps after which nothing changes any more, of 160,000
# (section 4).
_PAPER_STEPS = 40_000
_PAPER_START = 5_000 / _PAPER_STEPS
_PAPER_D_END = 25_000 / _PAPER_STEPS
_PAPER_SHARE = 4


@keras.saving.register_keras_serializable(package="keras_contrastive")
class BatchRenormalization(BatchNormalization):
    """Batch renormalization, clipped by the paper's schedule.

    Until an eighth of `ramp_steps` the layer is plain batch normalization.
    Then d_max grows linearly from 0 to `dmax`, which it reaches at five
    eighths, and r_max from 1 to `rmax`, which it reaches at `ramp_steps`. In
    the paper these are steps 5,000, 25,000 and 40,000 of 160,000. By default
    its proportions are kept: the first `fit` of this library's models sets
    the ramp to a quarter of its steps. The step is a weight, counted by the
    layer and saved with it, and so is the ramp; both stay as they are where
    training goes on.

    The paper's moments are those of some hundred steps, long before the
    clipping begins to open. A short run has no time for that: until there are
    enough steps, the moving moments that r and d are made of are plain means
    of the steps so far, so that they never hold what they began with.

    At fixed clipping, `ramp_steps=0`, the layer equals
    `keras.layers.BatchNormalization(renorm=True, renorm_clipping=...)` in
    outputs, gradients and statistics, the first of which hold what they began
    with. Inference is that of batch normalization.

    Args:
        rmax: float >= 1, the last r_max.
        dmax: float >= 0, the last d_max.
        ramp_steps: int >= 0, training steps until the clipping is at its
            last value; None for a quarter of the run's, and the paper's
            40,000 as long as nobody says how many there are.
        renorm_momentum: float in [0, 1], the share of the old value in each
            update of the moving moments that r and d are made of.
        momentum: float in [0, 1], likewise for the moments of inference.
        epsilon: float > 0, added to the variance.
        **kwargs: the other arguments of `BatchNormalization`, but for
            `synchronized`: on replicas of `tf.distribute` each normalizes by
            its own rows, and the moving moments are means over all.

    Raises:
        ValueError: for an argument out of range, or `synchronized`.

    Example:

    >>> layer = BatchRenormalization(ramp_steps=1_000)
    >>> outputs = layer(np.array([[1.0], [3.0]]), training=True)
    >>> np.round(np.array(outputs), 3).tolist()
    [[-1.0], [1.0]]
    >>> [float(each) for each in layer.clipping()]
    [1.0, 0.0]

    Reference:
        [Ioffe, 2017](https://arxiv.org/abs/1702.03275), algorithm 1.
    """

    def __init__(
        self,
        rmax=3.0,
        dmax=5.0,
        ramp_steps=None,
        renorm_momentum=0.99,
        momentum=0.9,
        epsilon=1e-5,
        **kwargs,
    ):
        super().__init__(
            renorm=True,
            renorm_momentum=renorm_momentum,
            momentum=momentum,
            epsilon=epsilon,
            **kwargs,
        )
        _check_at_least("rmax", rmax, 1)
        _check_at_least("dmax", dmax, 0)
        if ramp_steps is not None:
            _check_at_least("ramp_steps", ramp_steps, 0)
        if self.synchronized:
            raise ValueError(
                "`synchronized` must be False, received True; "
                "renormalization corrects by moving moments what a replica's "
                "own rows lack. Take BatchNormalization(synchronized=True)."
            )
        self.rmax = rmax
        self.dmax = dmax
        self.ramp_steps = ramp_steps

    def build(self, input_shape):
        if self.axis not in (-1, len(input_shape) - 1):
            raise ValueError(
                f"`axis` must be the last axis, received {self.axis} for "
                f"inputs of shape {tuple(input_shape)}; bring the channels to "
                "the last axis first."
            )
        super().build(input_shape)
        self.step = self.add_weight(
            shape=(),
            dtype="int32",
            initializer="zeros",
            trainable=False,
            name="step",
        )
        if self.ramp_steps is None:
            self.ramp = self.add_weight(
                shape=(),
                dtype="int32",
                initializer=keras.initializers.Constant(_PAPER_STEPS),
                trainable=False,
                name="ramp",
            )

    def scale_ramp(self, run_steps):
        """Sets the ramp to a quarter of a run that is about to begin.

        Nothing changes where `ramp_steps` is given, or the layer has trained.

        Args:
            run_steps: int, training steps from the first to the last.
        """
        if self.awaits_run:
            self.ramp.assign(max(run_steps // _PAPER_SHARE, 1))

    @property
    def awaits_run(self):
        """Whether the ramp is that of a run which has not begun."""
        if self.ramp_steps is not None or not self.built:
            return False
        # Of a strategy's variable a number cannot be made at once.
        return not ops.convert_to_numpy(self.step)

    def call(self, inputs, training=None):
        inputs = ops.cast(inputs, self.compute_dtype)
        dtype = row_normalization.moments_dtype(inputs)
        if training and self.trainable:
            return self._renormalize(inputs, dtype)
        scale, offset = self._as_scale_and_offset(
            *self._affine(dtype), *self._moving_moments(dtype)
        )
        return self._scale_channels(inputs, scale, offset)

    def clipping(self):
        """Returns the current r_max and d_max, two scalar tensors."""
        if self.ramp_steps == 0:
            return ops.cast(self.rmax, "float32"), ops.cast(
                self.dmax, "float32"
            )
        ramp = self.ramp if self.ramp_steps is None else self.ramp_steps
        progress = ops.cast(self.step, "float32") / ops.cast(ramp, "float32")
        begun = progress - _PAPER_START
        of_r = ops.clip(begun / (1.0 - _PAPER_START), 0.0, 1.0)
        of_d = ops.clip(begun / (_PAPER_D_END - _PAPER_START), 0.0, 1.0)
        return 1.0 + of_r * (self.rmax - 1.0), of_d * self.dmax

    def get_config(self):
        config = super().get_config()
        del config["renorm"], config["renorm_clipping"]
        return {
            **config,
            "rmax": self.rmax,
            "dmax": self.dmax,
            "ramp_steps": self.ramp_steps,
        }

    def _renormalize(self, inputs, dtype):
        moving_mean = ops.cast(self.renorm_mean, dtype)
        # Early in training the moving deviation can be next to nothing.
        moving_std = ops.maximum(
            ops.cast(self.renorm_stddev, dtype), self.epsilon**0.5
        )
        r_max, d_max = (ops.cast(each, dtype) for each in self.clipping())

        def transform(row_mean, row_variance, gamma, beta):
            mean = ops.mean(row_mean, axis=0)
            between = ops.square(row_mean - mean)
            std = ops.sqrt(
                ops.mean(row_variance + between, axis=0) + self.epsilon
            )
            r = ops.clip(std / moving_std, 1.0 / r_max, r_max)
            d = ops.clip((mean - moving_mean) / moving_std, -d_max, d_max)
            scale = gamma * ops.stop_gradient(r) / std
            offset = (row_mean - mean) * scale + beta
            offset = offset + gamma * ops.stop_gradient(d)
            scale = ops.broadcast_to(scale, ops.shape(row_mean))
            return scale, offset, [mean, std]

        outputs, statistics = row_normalization.normalize_rows(
            inputs, transform, self._affine(dtype)
        )
        self._move_statistics(*statistics)
        return outputs

    def _renorm_keep(self):
        """The share of the old value, that of a mean while steps are few."""
        if self.ramp_steps == 0:
            return self.renorm_momentum
        step = ops.cast(self.step, "float32")
        return ops.minimum(step / (step + 1.0), self.renorm_momentum)

    def _move_statistics(self, mean, std):
        share = 1.0 / replicas.count()
        mean = replicas.all_sum(mean) * share
        std = replicas.all_sum(std) * share
        keep = ops.cast(self._renorm_keep(), mean.dtype)
        for moving, value in (
            (self.renorm_mean, mean),
            (self.renorm_stddev, std),
        ):
            old = ops.cast(moving, value.dtype)
            moving.assign(old * keep + value * (1.0 - keep))
        self.moving_mean.assign(self._moved(self.moving_mean, mean))
        std = self._moved(self.moving_stddev, std)
        self.moving_stddev.assign(std)
        self.moving_variance.assign(ops.relu(ops.square(std) - self.epsilon))
        self.step.assign_add(1)


def _check_at_least(argument, value, least):
    if value < least:
        raise ValueError(
            f"`{argument}` must be at least {least}, received {value}; the "
            "paper has rmax=3, dmax=5, ramp_steps=40000."
        )
