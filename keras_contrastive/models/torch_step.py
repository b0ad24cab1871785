"""The training step on PyTorch."""

import torch
from keras import ops

from keras_contrastive.models import neutral_step

draw_view = neutral_step.draw_view
take_rows = neutral_step.take_rows


def train_step(model, data):
    """Views, loss, gradients, update, and one step further.

    Args:
        model: the ContrastiveModel.
        data: what the data adapter yields.

    Returns:
        Dict of metrics.
    """
    batch = _sent(model.batch_of(data))
    with torch.no_grad():
        batch["views"] = model.make_views(batch, model.step.value)
    loss = model.batch_loss(batch, training=True)
    scaled_loss = model.optimizer.scale_loss(loss)
    variables = model.trainable_variables
    gradients = torch.autograd.grad(
        scaled_loss,
        [variable.value for variable in variables],
        materialize_grads=True,
    )
    with torch.no_grad():
        model.optimizer.apply(gradients, variables)
        model.step.assign(model.step + 1)
        return model.get_metrics_result()


def test_step(model, data):
    """The loss under the views of step 0, nothing updated.

    Args:
        model: as in `train_step`.
        data: as in `train_step`.

    Returns:
        Dict of metrics.
    """
    batch = _sent(model.batch_of(data))
    batch["views"] = model.make_evaluation_views(batch)
    model.batch_loss(batch, training=False)
    return model.get_metrics_result()


def input_gradient(function, inputs):
    """The gradient of a function's value with respect to its inputs.

    Args:
        function: from a tensor like `inputs` to a scalar.
        inputs: float tensor.

    Returns:
        Tensor, shaped like `inputs`.
    """
    inputs = inputs.detach().requires_grad_()
    with torch.enable_grad():
        value = function(inputs)
    return torch.autograd.grad(value, inputs)[0]


def has_accelerator():
    """Whether tensors are made on another device than the processor.

    Returns:
        bool.
    """
    return ops.zeros(()).device.type != "cpu"


def put_on_device(column):
    """Sends an array to the device that trains.

    Args:
        column: NumPy array.

    Returns:
        Tensor.
    """
    return ops.convert_to_tensor(column)


def _sent(batch):
    """A batch on the device: a DataLoader's tensors come on the processor."""
    return {
        name: ops.convert_to_tensor(values) for name, values in batch.items()
    }
