"""A classifier on an encoder: linear probe or fine-tuning.

loss = -sum over classes k of t_k log softmax(head(features))_k,
t = (1 - s) one_hot(label) + s / K,   label smoothing s
"""

import keras
from keras import ops

from keras_contrastive import layers
from keras_contrastive.losses.cosine import raised
from keras_contrastive.models import inputs as model_inputs
from keras_contrastive.models.contrastive_model import ContrastiveModel
from keras_contrastive.models.copied import copied
from keras_contrastive.models.labelled import labels_of
from keras_contrastive.views.inputs import to_unit_floats


@keras.saving.register_keras_serializable(package="keras_contrastive")
class Classifier(ContrastiveModel):
    """Classifies images by an encoder that was trained before.

    The second of two stages: an encoder learns from images without labels,
    and a classifier from labels, of all images or of few.

    - Linear probe, `fine_tune=False`: the encoder is at rest, its batch
      normalization included, and the head alone learns. Its accuracy says
      how much of the classes the features hold.
    - Fine-tuning, `fine_tune=True`: everything trains, whatever was frozen.

    The classifier works on a copy of the encoder, weights included, so that
    the pretrained model stays as it is; `classifier.encoder`, and
    `export.encoder(classifier)`, are the copy.

    It trains on random views, by default a crop and a flip, as SimCLR's does,
    and `evaluate` takes all images as they are: its accuracy is that of
    `predict`. Calling the model and `predict` give probabilities
    `(N, num_classes)`, not features; the latter are
    `classifier.encode(images)`.

    Where batches hold `weights`, an image counts by its weight.

    SimCLR trains both by SGD with Nesterov momentum 0.9 and without weight
    decay: the head alone at the learning rate 0.1 x batch size / 256, the
    whole at 0.05 x batch size / 256, for 60 epochs on 1 % of ImageNet's
    labels and 30 on 10 %.

    Args:
        encoder: a trained ContrastiveModel, or a keras.Model from images
            `(N, H, W, C)` in [0, 1] to features `(N, dim)`. Of a model that
            trained on adversarial views the clean branch is taken, whose
            features its `predict` gives; its `encoder` by itself would give
            the mean of both branches.
        num_classes: int >= 2; labels are from 0 to `num_classes - 1`.
        fine_tune: bool, whether the encoder trains too.
        views: a policy's name, a policy of `views.policy`, or a tuple of
            them, of the images to train on; `"identity"` for images as they
            are.
        head: `"linear"`; `"standardized"`, batch normalization without scale
            and shift before it, for features have any scale, and a small one
            makes a head learn slowly; or a keras.Model from features to
            logits `(N, num_classes)`.
        label_smoothing: float in [0, 1), the share of the targets that is
            spread over all classes.
        num_views: int, views of an image in a batch.
        **kwargs: as in `ContrastiveModel`, but for `projector`.

    Raises:
        ValueError: for an argument out of range, a head of another size, or
            as in `ContrastiveModel`; and in `fit` and `evaluate`, if labels
            are missing or out of range.

    Example:

    ```python
    simclr = SimCLR(encoders.two_conv(), temperature=0.2)
    simclr.compile(optimizer=keras.optimizers.Adam(2e-3))
    simclr.fit(images, epochs=10)

    # 1 % of the labels, of each class alike; of classes of fewer than 100
    # images a part so small may hold none.
    (few,) = data.split(labels, (0.01,), seed=0)
    model = Classifier(simclr, num_classes=10, fine_tune=True)
    model.compile(
        optimizer=keras.optimizers.SGD(0.0125, momentum=0.9, nesterov=True)
    )
    model.fit(images[few], labels[few], batch_size=64, epochs=60)
    loss, accuracy = model.evaluate(test_images, test_labels)
    ```

    Reference:
        Chen et al. 2020, section 4.2 and appendix B,
        https://arxiv.org/abs/2002.05709
    """

    metric_names = ("accuracy",)
    least_views = 1
    least_images = 1
    counts_by_weights = True

    def __init__(
        self,
        encoder,
        num_classes,
        fine_tune=False,
        views="weak",
        head="linear",
        label_smoothing=0.0,
        num_views=1,
        **kwargs,
    ):
        _check_numbers(num_classes, label_smoothing)
        super().__init__(
            _own_encoder(encoder),
            projector=None,
            views=views,
            num_views=num_views,
            **kwargs,
        )
        # Of a layer that does not train, batch normalization is at rest,
        # which is what a linear probe wants.
        self.encoder.trainable = fine_tune
        self.num_classes = int(num_classes)
        self.fine_tune = fine_tune
        self.label_smoothing = label_smoothing
        self.head = _head(head, self.encoder.output_shape[-1], self.num_classes)

    def call(self, inputs, training=False):
        """Class probabilities `(N, num_classes)` of images, float32."""
        batch = inputs if isinstance(inputs, dict) else {"images": inputs}
        images = to_unit_floats(batch["images"])
        return ops.softmax(
            self._logits(images, self.split_ids_of(batch), training)
        )

    def make_evaluation_views(self, batch):
        """The images as they are."""
        return to_unit_floats(batch["images"])

    def contrastive_step(self, batch, training):
        count = self.num_views if training else 1
        labels = self.repeat_each_view(labels_of(self, batch), count)
        split_ids = self.split_ids_of(batch)
        if split_ids is not None:
            split_ids = self.repeat_each_view(split_ids, count)
        logits = self._logits(batch["views"], split_ids, training)
        rows = keras.losses.categorical_crossentropy(
            ops.one_hot(labels, self.num_classes, dtype=logits.dtype),
            logits,
            from_logits=True,
            label_smoothing=self.label_smoothing,
        )
        # Labels of data that is not `data.Batches` are first seen in here,
        # where nothing can be refused: a class too many must not be a zero.
        known = ops.logical_and(labels >= 0, labels < self.num_classes)
        rows = ops.where(known, rows, float("nan"))
        right = ops.equal(ops.cast(ops.argmax(logits, axis=1), "int32"), labels)
        right = ops.cast(right, "float32")
        weights = batch.get("weights")
        if weights is None:
            return rows, None, {"accuracy": right}
        weights = self.repeat_each_view(weights, count)
        return rows, weights, {"accuracy": (right, weights)}

    def check_batches(self, batches):
        """Refuses labels that are no class.

        Args:
            batches: `data.Batches`.

        Raises:
            ValueError: if labels are missing or out of range.
        """
        super().check_batches(batches)
        self._check_labels(batches)
        if batches.batch_size == 1 and self._head_is_standardized:
            raise ValueError(
                "`batch_size` must be at least 2, received 1; the head "
                "'standardized' would make zeros of a single image's features."
            )

    def evaluation_batches(self, x, y, batch_size):
        """Batches of all images, the last one as large as it may be.

        Args:
            x: images or batches, as in `fit`.
            y: labels, if `x` is an array.
            batch_size: int or None.

        Returns:
            `data.Batches` where `x` is an array, else `x`.

        Raises:
            ValueError: if labels are missing or out of range.
        """
        batches = model_inputs.evaluation(
            x, y, batch_size, self.num_replicas, drop_remainder=False
        )
        if model_inputs.are_batches(batches):
            self._check_labels(batches)
        return batches

    def _check_labels(self, batches):
        labels = labels_of(self, {"labels": batches.labels})
        most = int(ops.max(labels))
        if most >= self.num_classes:
            raise ValueError(
                f"`labels` must be from 0 to {self.num_classes - 1}, received "
                f"{most}; `num_classes` is {self.num_classes}."
            )

    @property
    def _head_is_standardized(self):
        return any(
            isinstance(layer, layers.SplitBatchNormalization)
            for layer in self.head._flatten_layers()
        )

    def _logits(self, images, split_ids, training):
        features = self.encode(images, split_ids, training and self.fine_tune)
        logits = layers.call_routed(
            self.head, features, split_ids, training=training
        )
        return raised(logits)

    def get_config(self):
        config = super().get_config()
        del config["projector"]
        return {
            **config,
            "num_classes": self.num_classes,
            "fine_tune": self.fine_tune,
            "head": keras.saving.serialize_keras_object(self.head),
            "label_smoothing": self.label_smoothing,
        }

    @classmethod
    def from_config(cls, config):
        head = keras.saving.deserialize_keras_object(config["head"])
        return super().from_config({**config, "head": head})


def _own_encoder(encoder):
    """A copy of an encoder, or of a model's as far as `predict` uses it."""
    if not isinstance(encoder, ContrastiveModel):
        return copied(encoder)
    if encoder.inference_split is None:
        return copied(encoder.encoder)
    return layers.fold_split_batch_normalization(
        encoder.encoder, encoder.inference_split
    )


def _head(head, dim, num_classes):
    """The model from features to logits."""
    if head in ("linear", "standardized"):
        features = x = keras.Input((dim,), name="features")
        if head == "standardized":
            # Of a head there is no saying how small a replica's share is.
            x = layers.SplitBatchNormalization(
                1,
                "contiguous",
                synchronized=True,
                epsilon=1e-8,
                center=False,
                scale=False,
            )(x)
        logits = keras.layers.Dense(num_classes, name="logits")(x)
        return keras.Model(features, logits, name="head")
    shape = getattr(head, "output_shape", None)
    if shape != (None, num_classes):
        raise ValueError(
            "`head` must be 'linear', 'standardized' or a keras.Model from "
            f"features to {num_classes} logits, one for each class, received "
            f"{head if shape is None else shape!r}."
        )
    return head


def _check_numbers(num_classes, label_smoothing):
    if num_classes < 2:
        raise ValueError(
            f"`num_classes` must be at least 2, received {num_classes}; "
            "count the classes of all labels, not of a part."
        )
    if not 0 <= label_smoothing < 1:
        raise ValueError(
            "`label_smoothing` must be at least 0 and below 1, received "
            f"{label_smoothing}; 0.1 is usual."
        )
