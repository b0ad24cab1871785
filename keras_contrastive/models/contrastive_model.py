"""The training step that every contrastive method shares.

    images -> views on the device -> the method's loss, one value a row
           -> gradients -> one update -> step + 1

A method is a subclass that states its own mathematics in
`contrastive_step`, in keras.ops, and knows nothing of gradient tapes; what
differs by backend is one file, `<backend>_step.py`.
"""

import keras
from keras import ops

from keras_contrastive import layers
from keras_contrastive.distribution import replicas
from keras_contrastive.models import batch_columns
from keras_contrastive.models import inputs as model_inputs
from keras_contrastive.models.arguments import check_choice
from keras_contrastive.models.arguments import check_encoder
from keras_contrastive.models.arguments import make_projector
from keras_contrastive.models.backend_step import backend_step
from keras_contrastive.models.compilation import Compilation
from keras_contrastive.models.feature_prediction import FeaturePrediction
from keras_contrastive.models.on_device import OnDevice
from keras_contrastive.models.replicated import CANDIDATES
from keras_contrastive.models.replicated import Replicated
from keras_contrastive.models.run_length import RunLength
from keras_contrastive.models.stacked_views import VIEW_ORDERS
from keras_contrastive.models.stacked_views import StackedViews
from keras_contrastive.models.stacked_views import policies_of
from keras_contrastive.views.inputs import to_unit_floats


class ContrastiveModel(
    StackedViews,
    FeaturePrediction,
    OnDevice,
    Replicated,
    Compilation,
    keras.Model,
):
    """Trains an encoder on random views of images; the base of all methods.

    `fit` takes images, `(images, labels)` or batches of `data.batches`;
    `predict` and calling the model give features; `evaluate` gives the loss
    under two views that are the same at every call. Labels, where they come
    along, are for monitoring only.

    Subclasses implement `contrastive_step`.

    Args:
        encoder: keras.Model from images `(N, H, W, C)` in [0, 1] to features
            `(N, dim)`. Normalization that a backbone wants belongs inside.
        projector: `"linear"`, `"mlp"`, None (the loss sees the features), or
            a keras.Model from features to projections.
        views: a policy's name, a policy of `views.policy`, or a tuple of
            them, one for each view.
        num_views: int, how many views of an image a batch holds; as many as
            policies where `views` is a tuple.
        view_order: `"image_major"` (both views of an image are neighbours,
            and a contiguous split holds both) or `"view_major"` (all first
            views, then all second ones: an even number of contiguous splits
            never holds both).
        seed: int, seed of the views and of the order of the images.
        candidates: `"global"` or `"local"`, whether rows are compared with
            those of all replicas, as one replica would, or of their own
            replica only; the same without a `tf.distribute` strategy. Queues
            hold the keys of all replicas in either case, so that it makes no
            difference to a loss that compares with a queue alone.

    Raises:
        ValueError: for an encoder that is not built or gives no feature
            vector, an unknown projector, policy or order of views.
    """

    #: Names of what `contrastive_step` measures, beside the loss.
    metric_names = ()
    #: Fewer views than these a method cannot learn from.
    least_views = 2
    #: More views than these it cannot compare; None for any number.
    most_views = None
    #: Of fewer images to a batch there is nothing to learn.
    least_images = 2
    #: Whether rows count by the `weights` of a batch.
    counts_by_weights = False
    #: The split whose branch gives the features; None for all of them alike.
    inference_split = None

    def __init__(
        self,
        encoder,
        projector="mlp",
        views="simclr",
        num_views=2,
        view_order="image_major",
        seed=0,
        candidates="global",
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_encoder(encoder)
        check_choice("view_order", view_order, VIEW_ORDERS)
        check_choice("candidates", candidates, CANDIDATES)
        self.encoder = encoder
        self.projector = make_projector(projector, encoder)
        self.policies = policies_of(
            views, num_views, self.least_views, self.most_views
        )
        self.num_views = len(self.policies)
        self.view_order = view_order
        self.seed = seed
        self.candidates = candidates
        # Its own count: optimizer.iterations stands still on steps that
        # half precision skips, and views must not repeat.
        self.step = self.add_weight(
            name="step", shape=(), dtype="int32", initializer="zeros",
            trainable=False,
        )  # fmt: skip
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.trackers = {
            name: keras.metrics.Mean(name=name) for name in self.metric_names
        }
        self.built = True

    def contrastive_step(self, batch, training):
        """States a method's loss on a batch; to be overridden.

        Args:
            batch: dict with `views` `(N * V, H, W, C)`, ordered by
                `view_order`, `positions` `(N,)`, and what else came along.
            training: bool.

        Returns:
            `rows` `(any,)`, the loss of each row; `weights` `(any,)`, how
            much each row has to say, or None for all alike; and a dict from
            each of `metric_names` to values, whose mean is the metric, or to
            a tuple of values and their weights.
        """
        raise NotImplementedError(
            f"{type(self).__name__} does not override `contrastive_step`; "
            "use a method, such as keras_contrastive.models.SimCLR."
        )

    def call(self, inputs, training=False):
        """Features of images, scaled to [0, 1] where they are uint8."""
        batch = inputs if isinstance(inputs, dict) else {"images": inputs}
        return self.encode(
            to_unit_floats(batch["images"]),
            split_ids=self.split_ids_of(batch),
            training=training,
        )

    @property
    def projection_dim(self):
        """How many numbers a projection has; a feature, if none follows."""
        return (self.projector or self.encoder).output_shape[-1]

    def rows_per_image(self, columns):
        """How many rows of the encoder an image of a batch becomes.

        Args:
            columns: names of what batches hold.

        Returns:
            int, 0 where the encoder is at rest in training.
        """
        return self.num_views

    def split_ids_of(self, batch):
        """The split of each image of a batch, int32 `(N,)`, or None."""
        return batch.get("split_ids")

    def encode(self, images, split_ids=None, training=False):
        """Features `(N, dim)` of images in [0, 1]."""
        return layers.call_routed(
            self.encoder, images, split_ids, training=training
        )

    def project(self, features, split_ids=None, training=False):
        """Projections `(N, dim)` of features; without projector, themselves."""
        if self.projector is None:
            return features
        return layers.call_routed(
            self.projector, features, split_ids, training=training
        )

    def projections_of_views(self, batch, training, count=None):
        """Projects the views of a batch: a list of `(N, dim)`, one a view.

        Args:
            batch: as in `contrastive_step`.
            training: bool.
            count: int, views of an image in the batch; `num_views` by
                default.

        Returns:
            List of float tensors.
        """
        count = count or self.num_views
        split_ids = self.split_ids_of(batch)
        if split_ids is not None:
            split_ids = self.repeat_each_view(split_ids, count)
        features = self.encode(batch["views"], split_ids, training)
        return self.each_view(
            self.project(features, split_ids, training), count
        )

    def batch_loss(self, batch, training):
        """The loss of a batch with views, a scalar; updates the metrics.

        On a replica, this replica's share of the global loss: the shares
        add up to the loss, and their gradients to its gradient.
        """
        rows, weights, metrics = self.contrastive_step(batch, training)
        weights = ops.ones_like(rows) if weights is None else weights
        total = replicas.all_sum(ops.sum(weights))
        loss = ops.sum(rows * weights) / ops.maximum(total, 1e-12)
        penalties = [ops.cast(each, loss.dtype) for each in self.losses]
        if penalties:
            loss = loss + ops.sum(ops.stack(penalties)) / replicas.count()
        # By its images: of `evaluation_batches` the last may hold fewer.
        self.loss_tracker.update_state(
            loss * replicas.count(), sample_weight=_sample_weight(batch, rows)
        )
        for name, values in metrics.items():
            values = values if isinstance(values, tuple) else (values,)
            self.trackers[name].update_state(*values)
        return loss

    def input_gradient(self, function, inputs):
        """The gradient of a function's value with respect to its inputs.

        Args:
            function: from a tensor like `inputs` to a scalar.
            inputs: float tensor.

        Returns:
            Tensor, shaped like `inputs`.
        """
        return backend_step().input_gradient(function, inputs)

    def train_step(self, *args):
        return backend_step().train_step(self, *args)

    def test_step(self, *args):
        return backend_step().test_step(self, *args)

    def make_train_function(self, force=False):
        own = getattr(backend_step(), "train_function", None)
        if own is None:
            super().make_train_function(force)
        elif self.train_function is None or force:
            self.train_function = own(self)

    def fit(
        self, x=None, y=None, batch_size=None, epochs=1, *,
        callbacks=None, validation_data=None, shuffle=True,
        data_on_device=None, **kwargs,
    ):  # fmt: skip
        """Trains on images; as keras.Model.fit, with these differences.

        The order of the images is a function of the model's seed and the
        epoch, and the views a function of the seed and the step, so that a
        run that is resumed with `initial_epoch` goes on as if never
        interrupted. The last batch of an epoch, if not full, is left out.

        Args:
            x: images, uint8 or float in [0, 1]; a dict of arrays of one
                length, `images` and what else a batch shall hold; batches of
                `data.batches`; or any data that yields batches of images.
            y: labels `(N,)`, if `x` is an array; for monitoring only.
            batch_size: int, images a batch, of all replicas together; 256
                by default, at most all, and as many as replicas and splits
                of batch normalization can share.
            epochs: as in keras.Model.fit.
            callbacks: list of keras.callbacks.Callback.
            validation_data: images, `(images, labels)`, a dict of arrays or
                batches. They come in batches of `batch_size`, or all at once
                if they are fewer; `validation_batch_size` says otherwise.
            shuffle: bool, whether images come in random order.
            data_on_device: bool, whether all images are sent to the device
                before training, and batches gathered there; by default where
                there is an accelerator and they are an array of at most 4
                GiB. They stay there, and are sent again if they changed.
            **kwargs: whatever else keras.Model.fit takes.

        Returns:
            keras.callbacks.History.
        """
        self.check_strategy()
        batches = model_inputs.training(
            x, y, batch_size, shuffle, self.seed,
            batch_columns.batch_multiple(self, model_inputs.names_of(x)),
        )  # fmt: skip
        callbacks = [*(callbacks or ()), RunLength()]
        if model_inputs.are_batches(batches):
            self.check_batches(batches)
            callbacks.append(model_inputs.EpochOrder(batches))
        if kwargs.pop("validation_split", 0):
            raise ValueError(
                "`validation_split` must be left out; pass validation_data="
                "(images, labels), which `data.split` cuts off."
            )
        size = kwargs.pop("validation_batch_size", None)
        if validation_data is not None:
            images, labels = model_inputs.images_and_labels(validation_data)
            if size is None and model_inputs.are_batches(batches):
                size = model_inputs.size_for(
                    images, batches.batch_size, self.num_replicas
                )
            validation_data, steps = self._fed_evaluation(images, labels, size)
            kwargs["validation_steps"] = kwargs.get("validation_steps") or steps
        with self._on_its_devices():
            batches, steps = self.fed(self.placed(batches, data_on_device))
        asked = kwargs.pop("steps_per_epoch", None)
        if steps and asked not in (None, steps):
            raise ValueError(
                f"`steps_per_epoch` must be None or {steps}, those of an "
                f"epoch, on several replicas, received {asked}; take fewer "
                "images."
            )
        kwargs["steps_per_epoch"] = asked or steps
        return super().fit(
            batches, epochs=epochs, callbacks=callbacks,
            validation_data=validation_data, shuffle=False, **kwargs,
        )  # fmt: skip

    def check_batches(self, batches):
        """Refuses or warns of what a method cannot learn from.

        Args:
            batches: `data.Batches` that `fit` is about to train on.

        Raises:
            ValueError: for too few images a batch, images that the encoder
                does not take, or ids that are missing or out of range.
        """
        batch_columns.check_training(self, batches)

    def evaluate(self, x=None, y=None, batch_size=None, **kwargs):
        """The loss under the views of step 0, batch statistics at rest.

        Args:
            x: images, a dict of arrays or batches, as in `fit`.
            y: labels, if `x` is an array; not used by unsupervised losses.
            batch_size: int, 256 by default; the loss depends on it, since
                it counts the negatives.
            **kwargs: whatever else keras.Model.evaluate takes.

        Returns:
            As keras.Model.evaluate.
        """
        self.check_strategy()
        batches, steps = self._fed_evaluation(x, y, batch_size)
        kwargs["steps"] = kwargs.get("steps") or steps
        return super().evaluate(batches, **kwargs)

    def evaluation_batches(self, x, y, batch_size):
        """Batches of `evaluate` and of `validation_data`.

        Args:
            x: images or batches, as in `fit`.
            y: labels, if `x` is an array.
            batch_size: int or None.

        Returns:
            `data.Batches` where `x` is an array or a dict, full ones only,
            since a loss that counts its negatives depends on how many there
            are; else `x`.
        """
        return model_inputs.evaluation(x, y, batch_size, self.num_replicas)

    def _fed_evaluation(self, x, y, batch_size):
        batches = self.evaluation_batches(x, y, batch_size)
        if model_inputs.are_batches(batches):
            batch_columns.check_evaluation(self, batches)
        return self.fed(batches, fill_up=self.counts_by_weights)

    @property
    def metrics(self):
        return [self.loss_tracker, *self.trackers.values()]

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            "name": self.name,
            "encoder": serialize(self.encoder),
            "projector": serialize(self.projector),
            "views": [serialize(policy) for policy in self.policies],
            "view_order": self.view_order,
            "seed": self.seed,
            "candidates": self.candidates,
        }

    @classmethod
    def from_config(cls, config):
        deserialize = keras.saving.deserialize_keras_object
        config = dict(config)
        # What has no projector says nothing of one.
        for name in {"encoder", "projector"} & config.keys():
            config[name] = deserialize(config[name])
        config["views"] = [deserialize(policy) for policy in config["views"]]
        return cls(**config)


def _sample_weight(batch, rows):
    """A number proportional to the images of a batch that count."""
    if "weights" not in batch:
        return ops.cast(ops.shape(rows)[0], "float32")
    return replicas.all_sum(ops.sum(batch["weights"])) / replicas.count()
