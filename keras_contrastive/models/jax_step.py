"""The training step on JAX: state goes in, state comes out."""

import functools
import itertools

import jax
import keras

from keras_contrastive.models import neutral_step

draw_view = neutral_step.draw_view
take_rows = neutral_step.take_rows


def train_function(model):
    """What `fit` calls: the steps of an execution, as one compiled program.

    Keras's own runs them one after the other, and so does this on a processor,
    where XLA's convolutions are many times slower within a loop. Images that
    are on the device are an argument, for a constant would be compiled into
    the program.

    Args:
        model: the ContrastiveModel, built and compiled.

    Returns:
        Function of the state and an iterator of batches, to the logs of the
        last step and the new state.
    """
    one, several = map(
        functools.partial(_compiled, model), (_one_step, _several_steps)
    )
    compiles = model.jit_compile and not model.run_eagerly
    together = compiles and has_accelerator()

    def execute(state, iterator):
        columns = model.columns_on_device
        batches = list(itertools.islice(iterator, model.steps_per_execution))
        if not batches:
            raise StopIteration
        for alike in _alike(batches) if together else zip(batches):
            if len(alike) == 1:
                logs, state = one(state, columns, alike[0])
            else:
                stacked = jax.tree.map(
                    lambda *each: jax.numpy.stack(each), *alike
                )
                logs, state = several(state, columns, stacked)
        return logs, state

    return execute


def train_step(model, state, data):
    """Views, loss, gradients, update, and one step further.

    Args:
        model: the ContrastiveModel.
        state: trainable, non-trainable, optimizer and metric variables.
        data: what the data adapter yields.

    Returns:
        Dict of metrics, and the new state.
    """
    trainable, non_trainable, optimizer_variables, metrics = state

    def loss_of(trainable):
        loss, non_trainable_, metrics_, logs = _loss_and_state(
            model, trainable, non_trainable, metrics, data, training=True
        )
        mapping = list(zip(model.optimizer.variables, optimizer_variables))
        with keras.StatelessScope(state_mapping=mapping):
            loss = model.optimizer.scale_loss(loss)
        return loss, (non_trainable_, metrics_, logs)

    gradients, aux = jax.grad(loss_of, has_aux=True)(trainable)
    non_trainable, metrics, logs = aux
    trainable, optimizer_variables = model.optimizer.stateless_apply(
        optimizer_variables, gradients, trainable
    )
    return logs, (trainable, non_trainable, optimizer_variables, metrics)


def test_step(model, state, data):
    """The loss under the views of step 0, nothing updated but metrics.

    Args:
        model: the ContrastiveModel.
        state: trainable, non-trainable and metric variables.
        data: what the data adapter yields.

    Returns:
        Dict of metrics, and the new state.
    """
    trainable, non_trainable, metrics = state
    _, _, metrics, logs = _loss_and_state(
        model, trainable, non_trainable, metrics, data, training=False
    )
    return logs, (trainable, non_trainable, metrics)


def input_gradient(function, inputs):
    """The gradient of a function's value with respect to its inputs.

    What the function assigns to variables must stay within a scope of its
    own: outside of the gradient such values mean nothing.

    Args:
        function: from an array like `inputs` to a scalar.
        inputs: float array.

    Returns:
        Array, shaped like `inputs`.
    """
    return jax.grad(function)(inputs)


def has_accelerator():
    """Whether JAX computes on another device than the processor.

    Returns:
        bool.
    """
    return jax.default_backend() != "cpu"


def put_on_device(column):
    """Sends an array to the device that trains, or to all of them.

    Args:
        column: NumPy array.

    Returns:
        Array; whole on every device of a `keras.distribution`.
    """
    distribution = keras.distribution.distribution()
    if distribution is None:
        return jax.device_put(column)
    whole = keras.distribution.TensorLayout(
        [None] * column.ndim, distribution.device_mesh
    )
    return keras.distribution.distribute_tensor(column, whole)


def _compiled(model, steps):
    steps = functools.partial(steps, model)
    if model.run_eagerly or not model.jit_compile:
        return steps
    shardings = None
    if keras.distribution.distribution() is not None:
        shardings = (None, model._get_state_sharding_spec())
    return jax.jit(steps, donate_argnums=0, out_shardings=shardings)


def _one_step(model, state, columns, data):
    return model.train_step(state, model.batch_of(data, columns))


def _several_steps(model, state, columns, stacked):
    def step(state, data):
        logs, state = _one_step(model, state, columns, data)
        return state, logs

    state, logs = jax.lax.scan(step, state, stacked)
    return {name: each[-1] for name, each in logs.items()}, state


def _alike(batches):
    """Batches in a row that can be stacked, the last one often alone."""

    def shapes(batch):
        return [each.shape for each in jax.tree.leaves(batch)]

    return [list(group) for _, group in itertools.groupby(batches, shapes)]


def _loss_and_state(model, trainable, non_trainable, metrics, data, training):
    mapping = [
        *zip(model.trainable_variables, trainable),
        *zip(model.non_trainable_variables, non_trainable),
        *zip(model.metrics_variables, metrics),
    ]
    scope = keras.StatelessScope(state_mapping=mapping, collect_losses=True)
    with scope:
        batch = model.batch_of(data)
        batch["views"] = (
            model.make_views(batch, model.step.value)
            if training
            else model.make_evaluation_views(batch)
        )
        loss = model.batch_loss(batch, training=training)
        if training:
            model.step.assign(model.step + 1)
        logs = model.get_metrics_result()
    return (
        loss,
        [scope.get_current_value(v) for v in model.non_trainable_variables],
        [scope.get_current_value(v) for v in model.metrics_variables],
        logs,
    )
