"""TensorFlow's fast kernels behind the normalization layers.

Only this file of the package's layers imports TensorFlow. It does what the
neutral code of `batch_normalization.py` and `row_normalization.py` does, and
is tested equal to it.
"""

import functools
import inspect

import tensorflow as tf


def batch_normalization(inputs, gamma, beta, epsilon):
    """Normalizes by the batch's own moments, in one fused kernel.

    Keras' own layer is five passes over the inputs, which cost the training
    step of `two_conv` 1.6 times as much.

    Args:
        inputs: float tensor `(batch, ..., channels)`.
        gamma: float32 tensor `(channels,)`, the scale.
        beta: float32 tensor `(channels,)`, the offset.
        epsilon: float > 0, added to the variance.

    Returns:
        Outputs, and the batch's mean and biased variance, both `(channels,)`.
    """
    images = _as_images(inputs)
    outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=images,
        scale=gamma,
        offset=beta,
        mean=tf.zeros((0,)),
        variance=tf.zeros((0,)),
        epsilon=epsilon,
        is_training=True,
    )
    # The kernel returns the unbiased variance, Keras averages the biased one.
    count = tf.cast(tf.size(images) / tf.size(mean), variance.dtype)
    variance = variance * (count - 1.0) / count
    return _as_given(outputs, inputs), mean, variance


def has_processor_only():
    """Whether there is no accelerator, for which other kernels are faster.

    Returns:
        bool.
    """
    return not tf.config.list_physical_devices("GPU")


def batch_normalization_of_parts(parts, gamma, beta, epsilon):
    """`batch_normalization` of parts of a batch, each by itself.

    A part stays in the processor's cache between its moments and its
    outputs: ten parts of 1,000 views cost the training step of `two_conv`
    half as much more as they do by `normalize_rows`.

    Args:
        parts: float tensor `(parts, rows, ..., channels)`.
        gamma: float32 tensor `(channels,)` or `(parts, channels)`.
        beta: float32 tensor, likewise.
        epsilon: float > 0, added to the variance.

    Returns:
        Outputs like the parts, and each part's mean and biased variance, both
        `(parts, channels)`.
    """
    shape = (parts.shape[0], parts.shape[-1])
    own = [tf.unstack(tf.broadcast_to(each, shape)) for each in (gamma, beta)]
    normalized = [
        batch_normalization(*each, epsilon)
        for each in zip(tf.unstack(parts), *own)
    ]
    return tuple(map(tf.stack, zip(*normalized)))


def scale_channels(inputs, scale, offset):
    """Scales and shifts each channel, `inputs * scale + offset`, in one kernel.

    Args:
        inputs: float tensor `(batch, ..., channels)`.
        scale: float32 tensor `(channels,)`.
        offset: float32 tensor `(channels,)`.

    Returns:
        Tensor like the inputs.
    """
    outputs, *_ = tf.raw_ops.FusedBatchNormV3(
        x=_as_images(inputs),
        scale=scale,
        offset=offset,
        mean=tf.zeros_like(scale),
        variance=tf.ones_like(scale),
        epsilon=0.0,
        is_training=False,
    )
    return _as_given(outputs, inputs)


def normalize_rows(inputs, transform, parameters):
    """`row_normalization.normalize_rows` in four compiled kernels.

    One makes each row's moments and one the outputs; going back, one makes
    each row's sums and one the gradient. What lies between, on arrays of a
    value per row and channel, is `transform` and its gradient by TensorFlow,
    so that it may do anything, collectives included. Ten splits of 1,000
    views cost the training step of `two_conv` about 1.1 times what the fused
    kernel of plain batch normalization does.

    Args:
        inputs: as in `row_normalization.normalize_rows`, of static row shape.
        transform: as there.
        parameters: as there.

    Returns:
        Outputs like the inputs, and the list of statistics, without gradient.
    """
    shape = tf.shape(inputs)
    positions, channels = inputs.shape[1:-1].num_elements(), inputs.shape[-1]
    rows = tf.reshape(inputs, (-1, positions, channels))

    def run(kernel, *tensors):
        compiled = _compiled(kernel, positions, channels, rows.dtype)
        return compiled(*tensors)

    @tf.custom_gradient
    def normalize(rows, *parameters):
        mean, variance = run(_row_moments, rows)
        sources = (mean, variance, *parameters)
        tape = tf.GradientTape(persistent=True)
        with tape:
            tape.watch(sources)
            scale, offset, statistics = transform(*sources)

        def gradient(upstream, *_):
            sums = run(_gradient_sums, upstream, rows, mean)
            of_mean, of_variance, *of_parameters = tape.gradient(
                (scale, offset), sources, sums, unconnected_gradients="zero"
            )
            of_moments = (sums[1], of_mean, of_variance)
            of_rows = run(_gradient, upstream, rows, mean, scale, *of_moments)
            return of_rows, *of_parameters

        outputs = run(_scale_rows, rows, mean, scale, offset)
        return (outputs, *statistics), gradient

    outputs, *statistics = normalize(rows, *parameters)
    return tf.reshape(outputs, shape), [*map(tf.stop_gradient, statistics)]


def refuse_unless(condition, sentence, value):
    """Returns the value, or stops a running graph with a sentence.

    Args:
        condition: bool tensor.
        sentence: tuple of texts and tensors.
        value: tensor; whatever needs it waits for the condition.
    """
    refusal = tf.debugging.Assert(condition, list(sentence))
    with tf.control_dependencies([refusal]):
        return tf.identity(value)


def _as_images(inputs):
    """The kernel wants four axes; dense features have one position."""
    if len(inputs.shape) == 4:
        return inputs
    channels = inputs.shape[-1]
    if len(inputs.shape) == 2:
        return tf.reshape(inputs, (-1, 1, 1, channels))
    return tf.reshape(inputs, (tf.shape(inputs)[0], -1, 1, channels))


def _as_given(images, inputs):
    # A reshape to the same would part the kernel from a ReLU that follows,
    # which TensorFlow makes one with it.
    if len(inputs.shape) == 4:
        return images
    return tf.reshape(images, tf.shape(inputs))


@functools.cache
def _compiled(kernel, positions, channels, dtype):
    """The kernel for rows of one shape and dtype, however many.

    One function for each keeps TensorFlow from warning of frequent retracing.
    """
    rows = tf.TensorSpec((None, positions, channels), dtype)
    moments = tf.TensorSpec((None, channels), tf.float32)
    signature = [
        rows if name in ("rows", "upstream") else moments
        for name in inspect.signature(kernel).parameters
    ]
    return tf.function(
        kernel, input_signature=signature, autograph=False, jit_compile=True
    )


def _row_moments(rows):
    positions = float(rows.shape[1])
    rows = tf.cast(rows, tf.float32)
    mean = _sum_positions(rows) / positions
    centred = rows - mean[:, None]
    return mean, _sum_positions(tf.square(centred)) / positions


def _scale_rows(rows, mean, scale, offset):
    centred = tf.cast(rows, tf.float32) - mean[:, None]
    return tf.cast(centred * scale[:, None] + offset[:, None], rows.dtype)


def _gradient_sums(upstream, rows, mean):
    """The gradients of each row's scale and offset."""
    upstream = tf.cast(upstream, tf.float32)[:, :, None]
    centred = tf.cast(rows, tf.float32) - mean[:, None]
    # In one reduction the second sum finds the row in the cache.
    factors = tf.where([[True], [False]], centred[:, :, None], 1.0)
    sums = _sum_positions(upstream * factors)
    return sums[:, 0], sums[:, 1]


def _gradient(upstream, rows, mean, scale, of_offset, of_mean, of_variance):
    """The gradient of the rows, by way of outputs, means and variances."""
    positions = float(rows.shape[1])
    upstream = tf.cast(upstream, tf.float32)
    centred = tf.cast(rows, tf.float32) - mean[:, None]
    by_variance = of_variance * (2.0 / positions)
    by_mean = (of_mean - scale * of_offset) / positions
    gradient = upstream * scale[:, None] + centred * by_variance[:, None]
    return tf.cast(gradient + by_mean[:, None], rows.dtype)


def _sum_positions(rows):
    """Sums `(rows, positions, ...)` over the positions.

    On the CPU the compiler's reduction is half as fast as additions of whole
    slices followed by a reduction of what is left. Eight slices were fastest.
    """
    positions, *rest = rows.shape[1:]
    slices = max(n for n in range(1, 9) if positions % n == 0)
    if slices > 1 and has_processor_only():
        shape = (-1, slices, positions // slices, *rest)
        rows = sum(tf.unstack(tf.reshape(rows, shape), axis=1))
    return tf.reduce_sum(rows, axis=1)
