"""The training step on TensorFlow."""

import functools

import tensorflow as tf

from keras_contrastive.distribution import workers
from keras_contrastive.models import neutral_step


def train_step(model, data):
    """Views, loss, gradients, update, and one step further.

    Args:
        model: the ContrastiveModel.
        data: what the data adapter yields.

    Returns:
        Dict of metrics.
    """
    batch = model.batch_of(data)
    batch["views"] = model.make_views(batch, model.step.value)
    with tf.GradientTape() as tape:
        loss = model.batch_loss(batch, training=True)
        scaled_loss = model.optimizer.scale_loss(loss)
    variables = model.trainable_variables
    gradients = tape.gradient(scaled_loss, variables)
    model.optimizer.apply_gradients(zip(gradients, variables))
    model.average_statistics()
    model.step.assign_add(1)
    return _logs(model)


def test_step(model, data):
    """The loss under the views of step 0, nothing updated.

    Args:
        model: as in `train_step`.
        data: as in `train_step`.

    Returns:
        Dict of metrics.
    """
    batch = model.batch_of(data)
    batch["views"] = model.make_evaluation_views(batch)
    model.batch_loss(batch, training=False)
    return _logs(model)


def draw_view(policy, seed, images, step, view, positions, policy_ids):
    """One random view of each image.

    In a graph it is compiled: a view's many small operations become a few
    passes over the batch. The convolutions are better off without XLA on a
    CPU, which is why it is not asked for the whole step.

    Args:
        policy: a view policy.
        seed: int.
        images: tensor `(N, H, W, C)`, uint8 or float in [0, 1].
        step: int32 scalar tensor.
        view: int, which of an image's views.
        positions: int32 tensor `(N,)`.
        policy_ids: int32 tensor `(N,)`, or None.

    Returns:
        float32 tensor `(N, h, w, C)`.
    """
    draw = (
        neutral_step.draw_view
        if tf.executing_eagerly()
        else _compiled_draw(policy, seed)
    )
    place = (tf.cast(step, tf.int32), tf.constant(view))
    return draw(policy, seed, images, *place, positions, policy_ids)


def input_gradient(function, inputs):
    """The gradient of a function's value with respect to its inputs.

    Args:
        function: from a tensor like `inputs` to a scalar.
        inputs: float tensor.

    Returns:
        Tensor, shaped like `inputs`.
    """
    inputs = tf.convert_to_tensor(inputs)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(inputs)
        value = function(inputs)
    return tape.gradient(value, inputs)


def has_accelerator():
    """Whether there is a GPU or a TPU.

    Returns:
        bool.
    """
    return bool(_accelerators())


def put_on_device(column):
    """Sends an array to the device that trains.

    Args:
        column: NumPy array.

    Returns:
        Tensor.
    """
    # Integers stay in the host's memory unless they are told.
    with tf.device((_accelerators() or ["CPU:0"])[0]):
        return tf.identity(column)


def take_rows(column, numbers):
    """Gathers rows of what is on the device, there.

    Args:
        column: tensor `(M, ...)`.
        numbers: int32 tensor `(N,)`.

    Returns:
        Tensor `(N, ...)`.
    """
    return _take_rows(column, numbers)


# TensorFlow has no kernel that gathers bytes on a GPU, XLA makes one.
@functools.partial(tf.function, autograph=False, jit_compile=True)
def _take_rows(column, numbers):
    return tf.gather(column, numbers)


def _accelerators():
    return [
        f"{device.device_type}:0"
        for device in tf.config.list_logical_devices()
        if device.device_type in ("GPU", "TPU")
    ]


def _logs(model):
    logs = model.get_metrics_result()
    if workers.count(model.strategy) == 1:
        return logs
    # Keras means them over an axis, when there are several workers.
    return {name: value[None] for name, value in logs.items()}


@functools.lru_cache(maxsize=64)
def _compiled_draw(policy, seed):
    """Compiled once for all views and all models that share a policy.

    Compilation takes seconds, and two models of one process often differ in
    anything but their views.
    """
    del policy, seed
    return tf.function(
        neutral_step.draw_view, autograph=False, jit_compile=True
    )
