"""Split batch normalization: moments per split of the batch.

    y_i = gamma * (x_i - mean_s) / sqrt(variance_s + epsilon) + beta,

where s is the split that row i belongs to, and gamma and beta may be the
split's own. Four publications mean four different layers by it; see
`SplitBatchNormalization`.
"""

import keras
from keras import ops

from keras_contrastive.distribution import replicas
from keras_contrastive.layers import row_normalization
from keras_contrastive.layers.batch_normalization import BatchNormalization
from keras_contrastive.layers.split_assignment import ASSIGNMENTS
from keras_contrastive.layers.split_assignment import checked_ids
from keras_contrastive.layers.split_assignment import split_across_replicas
from keras_contrastive.layers.split_assignment import split_assignment

AGGREGATIONS = ("mean", "pooled")
# More splits are too small for a kernel of their own.
_MOST_PARTS = 32


@keras.saving.register_keras_serializable(package="keras_contrastive")
class SplitBatchNormalization(BatchNormalization):
    """Batch normalization with statistics for each split of the batch.

    In training every row is normalized by the moments of its own split. What
    else belongs to a split is what the published forms differ in:

    | form | `assignment` | `split_affine` | `split_statistics` |
    |---|---|---|---|
    | MoCo's CIFAR demo | `"interleaved"` | `False` | `False` |
    | ghost batch normalization | `"contiguous"` | `False` | `False` |
    | AdvProp | `"contiguous"` | `True` | `True` |
    | domain-specific (DSBN) | `"ids"` | `True` | `True` |
    | Zajac et al. | `"ids"` | `False` | `True` |

    **Moving statistics** take one step a training step. With
    `split_statistics` each split has its own, and a split without rows keeps
    what it has. Otherwise there is one mean and one variance, of which a step
    takes, over the splits in proportion to their rows (with equal splits the
    plain average),

        mean = sum_s w_s mean_s
        variance = sum_s w_s variance_s                           ("mean")
        variance = sum_s w_s (variance_s + (mean_s - mean)^2)     ("pooled")

    The first is what MoCo's demo and ghost batch normalization keep; it
    leaves out how far the splits lie apart. The second is exactly the
    variance of the whole batch, by the law of total variance.

    **Inference** normalizes a row by the branch of its id, where
    `split_ids` is given, with any assignment. Without ids, and with
    branches, `"mean"` applies the mean of the S affine maps,

        scale_s = gamma_s / sqrt(variance_s + epsilon)
        offset_s = beta_s - mean_s * scale_s,

    which is the mean of the branches' outputs; `"pooled"` normalizes once,
    by the moments of the mixture of the S distributions in equal parts, and
    applies the mean gamma and beta.

    With one split this is `BatchNormalization`: the same outputs, gradients,
    statistics and weights, of shape `(channels,)`. With more, gamma and beta
    are `(num_splits, channels)` if `split_affine`, moving_mean and
    moving_variance if `split_statistics`.

    Under a `tf.distribute` strategy a split by place is a split of the
    replica's own rows; with `synchronized` it is one of the rows of all
    replicas, so that they normalize as one would. A split by id is all
    replicas' rows with that id. Moving statistics are the same on every
    replica.

    Args:
        num_splits: int > 0, the paper's S.
        assignment: `"contiguous"`, `"interleaved"` (row i is in split i mod
            S), or `"ids"`. Where the two views of an image are neighbours, as
            in SimCLR, an even number of interleaved splits parts them.
        split_affine: bool, whether each split has its own gamma and beta.
        split_statistics: bool, whether each has its own moving statistics.
        aggregation: `"mean"` or `"pooled"`, see above.
        synchronized: bool, whether splits by place are splits of the rows
            of all replicas, one replica after the other.
        momentum: float in [0, 1], the share of the old value in each update
            of the moving statistics.
        epsilon: float > 0, added to the variance.
        **kwargs: `center`, `scale` and the initializers, regularizers and
            constraints of `keras.layers.BatchNormalization`.

    Call arguments:
        inputs: float tensor `(rows, ..., channels)`, dense or images.
        split_ids: int tensor `(rows,)` with values in 0 .. S - 1. Required
            in training by `assignment="ids"`, refused there by the others;
            optional in inference.
        training: bool.

    Example:

    >>> layer = SplitBatchNormalization(2, "ids", split_statistics=True)
    >>> inputs = np.array([[1.0], [10.0], [3.0], [30.0]])
    >>> outputs = layer(inputs, np.array([0, 1, 0, 1]), training=True)
    >>> np.round(np.array(outputs), 3).tolist()
    [[-1.0], [-1.0], [1.0], [1.0]]
    >>> layer.moving_mean.numpy().round(3).ravel()
    array([0.2, 2. ], dtype=float32)

    Reference:
        - [Hoffer et al., 2017](https://arxiv.org/abs/1705.08741) (ghost)
        - [He et al., 2020](https://arxiv.org/abs/1911.05722) (MoCo)
        - [Xie et al., 2020](https://arxiv.org/abs/1911.09665) (AdvProp)
        - [Chang et al., 2019](https://arxiv.org/abs/1906.03950) (DSBN)
        - [Zajac et al., 2019](https://arxiv.org/abs/1904.03515)
    """

    def __init__(
        self,
        num_splits,
        assignment,
        split_affine=False,
        split_statistics=False,
        aggregation="mean",
        synchronized=False,
        momentum=0.9,
        epsilon=1e-5,
        **kwargs,
    ):
        super().__init__(
            momentum=momentum,
            epsilon=epsilon,
            synchronized=synchronized,
            **kwargs,
        )
        if num_splits < 1 or num_splits != int(num_splits):
            raise ValueError(
                "`num_splits` must be a positive whole number, received "
                f"{num_splits}; 1 is plain batch normalization."
            )
        _check_one_of("assignment", assignment, ASSIGNMENTS)
        _check_one_of("aggregation", aggregation, AGGREGATIONS)
        if self.renorm:
            raise ValueError(
                "`renorm` must be False, received True; splits are not "
                "defined for it, use BatchRenormalization without splits."
            )
        self.num_splits = int(num_splits)
        self.assignment = assignment
        self.split_affine = split_affine
        self.split_statistics = split_statistics
        self.aggregation = aggregation

    def build(self, input_shape):
        if self.axis not in (-1, len(input_shape) - 1):
            raise ValueError(
                f"`axis` must be the last axis, received {self.axis} for "
                f"inputs of shape {tuple(input_shape)}; bring the channels to "
                "the last axis first."
            )
        super().build(input_shape)

    def add_weight(self, *args, shape=None, name=None, **kwargs):
        split = (
            self.split_affine
            if name in ("gamma", "beta")
            else self.split_statistics
        )
        if split and self.num_splits > 1:
            shape = (self.num_splits, *shape)
        return super().add_weight(*args, shape=shape, name=name, **kwargs)

    def call(self, inputs, split_ids=None, training=None):
        inputs = ops.cast(inputs, self.compute_dtype)
        if self._is_plain():
            return super().call(inputs, training=training)
        if training and self.trainable:
            return self._normalize_by_splits(inputs, split_ids)
        return self._normalize_by_moving_moments(inputs, split_ids)

    def inference_map(self, split=None, dtype="float32"):
        """Returns the scale and offset by which inference normalizes.

        Args:
            split: None for rows without an id, or the int of a split.
            dtype: str, the dtype to compute in.

        Returns:
            Two tensors `(channels,)`: the outputs are `inputs * scale +
            offset`.
        """
        affine = self._affine(dtype)
        moments = self._moving_moments(dtype)
        if split is not None:
            return tuple(
                each[_checked_split(split, self.num_splits)]
                if len(each.shape) == 2
                else each
                for each in self._as_scale_and_offset(*affine, *moments)
            )
        if self.aggregation == "pooled":
            affine = map(_mean_of_splits, affine)
            moments = pooled_moments(*moments)
        maps = self._as_scale_and_offset(*affine, *moments)
        return tuple(map(_mean_of_splits, maps))

    def get_config(self):
        return {
            **super().get_config(),
            "num_splits": self.num_splits,
            "assignment": self.assignment,
            "split_affine": self.split_affine,
            "split_statistics": self.split_statistics,
            "aggregation": self.aggregation,
        }

    def _is_plain(self):
        # Of several replicas "pooled" knows how far they lie apart, and an id
        # is one wherever its rows are.
        spread = self.aggregation == "pooled" or self.assignment == "ids"
        return self.num_splits == 1 and not (spread and replicas.count() > 1)

    @property
    def is_global(self):
        """Whether a split has its rows of all replicas, not of one alone."""
        return self.synchronized or self.assignment == "ids"

    def _spans_replicas(self):
        return self.is_global and replicas.count() > 1

    def _normalize_by_splits(self, inputs, split_ids):
        dtype = row_normalization.moments_dtype(inputs)
        rows = ops.shape(inputs)[0]
        if self.synchronized and replicas.count() > 1:
            splits = split_across_replicas(
                self.assignment, self.num_splits, rows, split_ids
            )
        else:
            splits = split_assignment(
                self.assignment, self.num_splits, rows, split_ids
            )
            if self._fuses_parts(inputs):
                return self._normalize_parts(inputs, splits)

        def transform(row_mean, row_variance, gamma, beta):
            counts, mean, variance = self._split_moments(
                splits, row_mean, row_variance
            )
            scale = splits.spread(gamma * ops.rsqrt(variance + self.epsilon))
            shape = (self.num_splits, inputs.shape[-1])
            beta = splits.spread(ops.broadcast_to(beta, shape))
            offset = (row_mean - splits.spread(mean)) * scale + beta
            return scale, offset, [counts, mean, variance]

        outputs, statistics = row_normalization.normalize_rows(
            inputs, transform, self._affine(dtype)
        )
        self._move_statistics(*statistics)
        return outputs

    def _fuses_parts(self, inputs):
        if self.assignment != "contiguous" or not self._fuses(inputs):
            return False
        from keras_contrastive.layers import fused_tensorflow

        few = self.num_splits <= _MOST_PARTS
        return few and fused_tensorflow.has_processor_only()

    def _normalize_parts(self, inputs, splits):
        """Each split by the fused kernel of plain batch normalization."""
        from keras_contrastive.layers import fused_tensorflow

        outputs, mean, variance = fused_tensorflow.batch_normalization_of_parts(
            splits.grouped(inputs), *self._affine("float32"), self.epsilon
        )
        self._move_statistics(splits.counts, mean, variance)
        return ops.reshape(outputs, ops.shape(inputs))

    def _split_moments(self, splits, row_mean, row_variance):
        """Rows in each split `(S, 1)`, and its mean and variance `(S, C)`."""
        merge = _sum_over_replicas if self._spans_replicas() else _same
        counts = ops.cast(splits.counts, row_mean.dtype)
        sums = ops.concatenate([splits.sums(row_mean), counts], axis=-1)
        sums = merge(sums)
        sums, counts = sums[:, :-1], sums[:, -1:]
        rows = ops.maximum(counts, 1.0)
        mean = sums / rows
        between = ops.square(row_mean - splits.spread(mean))
        variance = merge(splits.sums(row_variance + between)) / rows
        return counts, mean, variance

    def _move_statistics(self, counts, mean, variance):
        merge = _same if self._spans_replicas() else _sum_over_replicas

        def gather(splits):
            own = len(self.moving_mean.shape) == 2
            return merge(splits if own else ops.sum(splits, axis=0))

        rows = gather(counts)
        weights = counts / ops.maximum(rows, 1.0)
        gathered = gather(weights * mean)
        if self.aggregation == "pooled":
            variance = variance + ops.square(mean - gathered)
        for moving, value in (
            (self.moving_mean, gathered),
            (self.moving_variance, gather(weights * variance)),
        ):
            old = ops.cast(moving, value.dtype)
            moving.assign(ops.where(rows > 0, self._moved(moving, value), old))

    def _normalize_by_moving_moments(self, inputs, split_ids):
        dtype = row_normalization.moments_dtype(inputs)
        if split_ids is None:
            return self._scale_channels(
                inputs, *self.inference_map(dtype=dtype)
            )
        scale, offset = self._as_scale_and_offset(
            *self._affine(dtype), *self._moving_moments(dtype)
        )
        if len(scale.shape) == 1:
            return self._scale_channels(inputs, scale, offset)
        split_ids = checked_ids(split_ids)
        shape = (-1, *[1] * (len(inputs.shape) - 2), inputs.shape[-1])
        scale = ops.reshape(ops.take(scale, split_ids, axis=0), shape)
        offset = ops.reshape(ops.take(offset, split_ids, axis=0), shape)
        outputs = ops.cast(inputs, dtype) * scale + offset
        return ops.cast(outputs, self.compute_dtype)


def pooled_moments(mean, variance):
    """Moments of the mixture, in equal parts, of the splits' distributions.

    Args:
        mean, variance: tensors `(splits, channels)`, or `(channels,)` where
            there is one split.

    Returns:
        Mean and variance, both `(channels,)`.
    """
    pooled_mean = _mean_of_splits(mean)
    between = ops.square(mean - pooled_mean)
    return pooled_mean, _mean_of_splits(variance + between)


def _mean_of_splits(splits):
    return ops.mean(splits, axis=0) if len(splits.shape) == 2 else splits


def _checked_split(split, num_splits):
    if not 0 <= split < num_splits:
        raise ValueError(
            f"`split` must be at least 0 and below {num_splits}, received "
            f"{split}; leave it out for the mean of the splits."
        )
    return split


def _sum_over_replicas(values):
    return replicas.all_sum(values)


def _same(values):
    return values


def _check_one_of(argument, value, allowed):
    if value not in allowed:
        raise ValueError(
            f"`{argument}` must be one of {', '.join(map(repr, allowed))}, "
            f"received {value!r}."
        )
