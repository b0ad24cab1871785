"""Training on the replicas of tf.distribute, or on several devices of JAX.

Keras deals batches out, runs the step on each replica and adds gradients up.
What it lacks is here: batches of which every image goes to one known replica;
`fit` and `evaluate` of several workers, where Keras stumbles over a model
that it wants to build from a batch; moving statistics that do not depend on
which replica is saved; a model that stays on its devices wherever it is
called; the rows of all replicas, for its own to be compared with; and a
word before training on what cannot work.
"""

import contextlib
import warnings

import keras
from keras import ops

from keras_contrastive import layers
from keras_contrastive.distribution import replicas
from keras_contrastive.distribution.feed import feed
from keras_contrastive.distribution.input_pipeline import pipeline
from keras_contrastive.distribution.whole_batches import whole_batches
from keras_contrastive.models.inputs import are_batches
from keras_contrastive.models.inputs import are_rows

CANDIDATES = ("global", "local")


class Replicated:
    """What a model does differently under a strategy; a part of all models.

    It remembers the strategy in whose scope it is made. Without any, `fit`,
    `evaluate` and `predict` are those of keras.Model.

    It has `candidates`, of `CANDIDATES`: whether rows are compared with those
    of all replicas.

    Args:
        **kwargs: as in keras.Model.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        # TensorFlow's Keras remembers its strategy; JAX's does not.
        self._data_parallel = keras.distribution.distribution()

    @property
    def strategy(self):
        """What it was built under, or None.

        A tf.distribute.Strategy, or on JAX keras.distribution.DataParallel.
        """
        of_tensorflow = getattr(self, "_distribute_strategy", None)
        return of_tensorflow or self._data_parallel

    @property
    def num_replicas(self):
        """How many replicas train this model, 1 without a strategy."""
        return replicas.count_of(self.strategy)

    def fit(self, *args, **kwargs):
        with self._on_its_devices():
            return super().fit(*args, **kwargs)

    def evaluate(self, *args, **kwargs):
        with self._on_its_devices():
            return super().evaluate(*args, **kwargs)

    def predict(self, *args, **kwargs):
        with self._on_its_devices():
            return super().predict(*args, **kwargs)

    def fed(self, data, fill_up=False, to_predict=False):
        """Batches as this model's strategy wants them.

        Args:
            data: `data.Batches`, or any data that `fit` takes.
            fill_up: bool, as in `distribution.feed.feed`.
            to_predict: bool, as there.

        Returns:
            What to hand to Keras, and the number of steps of an epoch, None
            where Keras knows it.
        """
        if self.num_replicas == 1:
            if keras.backend.backend() == "tensorflow" and are_rows(data):
                data = pipeline(data)
            return data, None
        if not are_batches(data):
            return data, None
        if replicas.is_global(self.strategy):
            return whole_batches(data, self.num_replicas, fill_up), None
        return feed(data, self.strategy, fill_up, to_predict)

    def gathered(self, rows):
        """What rows are compared with: those of all replicas, or their own.

        Args:
            rows: tensor `(N, ...)`.

        Returns:
            Tensor `(all, ...)`, or the rows where `candidates` is `"local"`.
        """
        return replicas.all_gather(rows) if self._sees_all else rows

    def places(self, batch):
        """Where a batch's images stand among what they are compared with.

        Args:
            batch: as in `contrastive_step`.

        Returns:
            int32 tensor `(N,)`.
        """
        positions = ops.cast(batch["positions"], "int32")
        if self._sees_all:
            return positions
        return positions - replicas.index() * ops.shape(positions)[0]

    @property
    def _sees_all(self):
        return self.candidates == "global"

    def average_statistics(self):
        """Makes moving statistics their mean over the replicas, in a step.

        Those of Keras's own batch normalization: each replica moves its own,
        and the first one's would be saved. Ours are means already.
        """
        if replicas.count() == 1:
            return
        share = 1.0 / replicas.count()
        for layer in self._flatten_layers(include_self=False):
            if not _has_own_statistics(layer):
                continue
            for moving in layer.non_trainable_variables:
                if moving.name not in ("gamma", "beta"):
                    moving.assign(replicas.all_sum(moving.value) * share)

    def check_strategy(self):
        """Refuses what would train wrongly, and warns of what is not exact.

        Raises:
            ValueError: with a sentence that says what, and what to do.
        """
        if self.strategy is None:
            return
        _check_kind(self.strategy)
        _check_scope(self)
        if self.num_replicas == 1:
            return
        if replicas.is_global(self.strategy):
            _check_candidates(self)
            return
        _check_options(self)
        _check_splits(self)
        _warn_of_random_layers(self)

    def _on_its_devices(self):
        """On JAX, the scope in which Keras sends batches to all devices."""
        if replicas.is_global(self.strategy):
            return self.strategy.scope()
        if keras.distribution.distribution() is not None:
            raise ValueError(
                "This model was made outside of the scope of the "
                "keras.distribution that is set now, and is on one device; "
                "make or load it in that scope, or unset it by "
                "`keras.distribution.set_distribution(None)`."
            )
        return contextlib.nullcontext()

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        # A contrastive model is built when it is made. Keras would draw a
        # batch for it, and fails to reduce it over workers. What is left to
        # build must not be built within a step.
        optimizer = getattr(self, "optimizer", None)
        if self.strategy and optimizer and not optimizer.built:
            with self.strategy.scope():
                optimizer.build(self.trainable_variables)


def _has_own_statistics(layer):
    return (
        isinstance(layer, keras.layers.BatchNormalization)
        and not isinstance(layer, layers.BatchNormalization)
        and layer.trainable
    )


def _check_kind(strategy):
    if "ParameterServer" in type(strategy).__name__:
        raise ValueError(
            "Keras 3 does not train under ParameterServerStrategy; use "
            "`distribution.strategy('multi_worker')`."
        )
    if not replicas.is_global(strategy):
        return
    if keras.backend.backend() != "jax":
        raise ValueError(
            "keras.distribution needs the backend jax, received "
            f"{keras.backend.backend()}; set KERAS_BACKEND=jax, or on "
            "TensorFlow use `distribution.strategy('mirrored')`."
        )
    if not isinstance(strategy, keras.distribution.DataParallel):
        raise ValueError(
            "Of keras.distribution only DataParallel trains these models, "
            f"received {type(strategy).__name__}."
        )
    if strategy.num_processes > 1:
        raise ValueError(
            "keras.distribution must have one process, received "
            f"{strategy.num_processes}; for several machines use TensorFlow "
            "and `distribution.strategy('multi_worker')`."
        )


def _check_candidates(model):
    if model.candidates != "global":
        raise ValueError(
            f"`candidates` must be 'global' on JAX, received "
            f"{model.candidates!r}: there a batch is one array over all "
            "devices, and none has rows of its own."
        )


def _check_options(model):
    optimizer = getattr(model, "optimizer", None)
    accumulated = getattr(optimizer, "gradient_accumulation_steps", None)
    if accumulated:
        raise ValueError(
            "`gradient_accumulation_steps` must be None on several replicas, "
            f"received {accumulated}; Keras cannot accumulate there. Raise "
            "the batch size instead."
        )
    if model.steps_per_execution > 1:
        raise ValueError(
            "`steps_per_execution` must be 1 on several replicas, received "
            f"{model.steps_per_execution}; Keras cannot loop over steps there."
        )


def _check_splits(model):
    """Splits of all replicas' rows know of one order: image after image."""
    if model.row_lots == 1:
        return
    for layer in model._flatten_layers(include_self=False):
        if (
            isinstance(layer, layers.SplitBatchNormalization)
            and layer.synchronized
            and layer.num_splits > 1
            and layer.assignment != "ids"
        ):
            raise ValueError(
                f"{layer.name!r} splits the rows of all replicas by their "
                "place, and these come in several lots, by "
                "`view_order='view_major'` or `symmetric=True`, of which each "
                "replica has a part; take `synchronized=False`, one split, or "
                "splits by id."
            )


def _check_scope(model):
    is_within = _within(model.strategy)
    optimizer = getattr(model, "optimizer", None)
    variables = [*model.variables, *getattr(optimizer, "variables", ())]
    outside = [
        variable.path for variable in variables if not is_within(variable.value)
    ]
    if outside:
        raise ValueError(
            f"{len(outside)} variables, such as {outside[0]!r}, were made "
            "outside of the strategy's scope; make the encoder, the "
            "projector, the model and its optimizer in `with "
            "strategy.scope():`."
        )


def _within(strategy):
    """A function that says whether a value was made in a strategy's scope."""
    if not replicas.is_global(strategy):
        return strategy.extended.variable_created_in_scope
    devices = set(strategy.device_mesh.backend_mesh.devices.flat)
    return lambda value: value.devices() == devices


def _warn_of_random_layers(model):
    layers = model._flatten_layers(include_self=False)
    names = [
        f"{layer.name} ({type(layer).__name__})"
        for layer in layers
        if _draws(layer)
    ]
    if names:
        warnings.warn(
            f"{', '.join(names)} draw the same random numbers on every "
            f"replica, so that {model.num_replicas} replicas do not train "
            "exactly as one.",
            stacklevel=4,
        )


def _draws(layer):
    """Whether a layer draws random numbers in training."""
    # A recurrent cell can draw, whether it has anything to drop or not.
    rates = [
        getattr(layer, name)
        for name in ("dropout", "recurrent_dropout")
        if hasattr(layer, name)
    ]
    generates = any(
        isinstance(each, keras.random.SeedGenerator)
        for each in vars(layer).values()
    )
    return generates and (not rates or any(rates))
