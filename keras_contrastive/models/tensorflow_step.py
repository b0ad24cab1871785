"""The training step on TensorFlow."""

import tensorflow as tf

from keras_contrastive.models import inputs


def train_step(model, data):
    """Views, loss, gradients, update, and one step further.

    Args:
        model: the ContrastiveModel.
        data: what the data adapter yields.

    Returns:
        Dict of metrics.
    """
    batch = _with_views(model, data, model.step)
    with tf.GradientTape() as tape:
        loss = model.batch_loss(batch, training=True)
        scaled_loss = model.optimizer.scale_loss(loss)
    variables = model.trainable_variables
    gradients = tape.gradient(scaled_loss, variables)
    model.optimizer.apply_gradients(zip(gradients, variables))
    model.step.assign_add(1)
    return model.get_metrics_result()


def test_step(model, data):
    """The loss under the views of step 0, nothing updated.

    Args:
        model: the ContrastiveModel.
        data: what the data adapter yields.

    Returns:
        Dict of metrics.
    """
    model.batch_loss(_with_views(model, data, 0), training=False)
    return model.get_metrics_result()


def _with_views(model, data, step):
    batch = inputs.batch_dict(data)
    make_views = model.make_views
    if not tf.executing_eagerly():
        # Compiled, a view's many small operations become a few passes over
        # the batch. The convolutions are better off without XLA on a CPU,
        # which is why it is not asked for the whole step.
        make_views = tf.function(make_views, jit_compile=True)
    batch["views"] = make_views(_tensors_for_views(batch), step)
    return batch


def _tensors_for_views(batch):
    names = ("images", "positions", "policy_ids")
    return {name: batch[name] for name in names if name in batch}
