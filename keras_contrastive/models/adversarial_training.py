"""Training on adversarial views beside the clean ones.

    clean views -> clean loss                       (main statistics)
    one clean view -> attack, parameters fixed      (nothing moves)
                   -> adversarial loss              (auxiliary statistics)
    loss = clean loss + weight * adversarial loss

Adversarial images are another distribution than clean ones, and batch
normalization that mixes both fits neither; so each has its own branch.

References: Ho and Vasconcelos 2020, https://arxiv.org/abs/2010.12050
Xie et al. 2020, https://arxiv.org/abs/1911.09665
"""

import keras
from keras import ops

from keras_contrastive import layers
from keras_contrastive.models.adversary import Adversary
from keras_contrastive.models.arguments import check_encoder
from keras_contrastive.models.arguments import make_projector

CLEAN, ADVERSARIAL = 0, 1


class AdversarialTraining:
    """What a method has that can train on adversarial views; a mixin.

    With an adversary, each BatchNormalization of encoder and projector
    becomes a split one with two branches, of statistics, scale and shift:
    the main one for clean images, and one for adversarial images. The
    `encoder` and `projector` of the model are then converted copies, and
    those given are left as they are. Features are those of the main branch,
    in `predict`, `evaluate` and `export.encoder` as well. Called by itself,
    without ids, the model's `encoder` gives the mean of the branches.

    Ids of a batch's own are not looked at.

    Args:
        encoder: as in `ContrastiveModel`; its normalization, if any, is
            plain BatchNormalization, or has these two branches already, or
            knows no batch.
        projector: as in `ContrastiveModel`, with the same condition.
        adversary: `models.Adversary`, or None for clean views alone.
        **kwargs: of the method's other base.

    Raises:
        ValueError: for anything else than an adversary, or normalization
            that cannot be given branches.
    """

    def __init__(self, encoder, projector="mlp", adversary=None, **kwargs):
        if adversary is not None:
            _check_adversary(adversary)
            check_encoder(encoder)
            projector = make_projector(projector, encoder)
            encoder = _with_branches(encoder, "encoder")
            projector = _with_branches(projector, "projector")
        super().__init__(encoder, projector=projector, **kwargs)
        self.adversary = adversary
        if adversary is not None:
            self.trackers["clean_loss"] = keras.metrics.Mean(name="clean_loss")

    @property
    def inference_split(self):
        """The split whose branch gives the features: that of clean images."""
        return None if self.adversary is None else CLEAN

    def split_ids_of(self, batch):
        if self.adversary is None:
            return super().split_ids_of(batch)
        return _ids(batch["images"], CLEAN)

    def encode(self, images, split_ids=None, training=False):
        images = ops.convert_to_tensor(images)
        if split_ids is None:
            split_ids = self.split_ids_of({"images": images})
        return super().encode(images, split_ids, training)

    def project(self, features, split_ids=None, training=False):
        features = ops.convert_to_tensor(features)
        if split_ids is None:
            split_ids = self.split_ids_of({"images": features})
        return super().project(features, split_ids, training)

    def adversarial_loss(self, views, batch, loss_of):
        """The weighted loss where views give way to their adversaries.

        Args:
            views: list of float32 tensors `(N, h, w, C)`, the views of the
                batch's images that may be attacked, each by itself.
            batch: as in `contrastive_step`.
            loss_of: function of the projections of adversaries `(M, dim)`
                and of int32 `(M,)`, the row of each among all rows of
                `views`, one list entry after the other. It returns the
                losses, a tensor of one axis, and reads no variables.

        Returns:
            Scalar tensor, the mean of the losses times the weight.
        """
        place = {"seed": self.seed, "step": self.step.value}
        chosen = self.adversary.choose(batch["positions"], **place)
        starts = [lot * ops.shape(views[0])[0] for lot in range(len(views))]
        rows = ops.concatenate([chosen + start for start in starts])
        positions = ops.tile(batch["positions"], (len(views),))
        images = self.adversary.attack(
            ops.take(ops.concatenate(views), rows, axis=0),
            self._gradient_with_nothing_moved(loss_of, rows),
            ops.take(positions, rows, axis=0),
            **place,
        )
        losses = loss_of(self._adversarial_projections(images), rows)
        return self.adversary.weight * ops.mean(losses)

    def _gradient_with_nothing_moved(self, loss_of, rows):
        """A function from images to the gradient of their adversarial loss."""
        parts = [part for part in (self.encoder, self.projector) if part]
        state = [
            (variable, ops.stop_gradient(variable.value))
            for part in parts
            for variable in part.variables
        ]

        def loss(images):
            # What training assigns, moving statistics above all, ends with
            # the scope.
            with keras.StatelessScope(state_mapping=state):
                projections = self._adversarial_projections(images)
                # The sum: a mean has smaller gradients, which half precision
                # may lose, and the same signs.
                return ops.sum(loss_of(projections, rows))

        return lambda images: self.input_gradient(loss, images)

    def _adversarial_projections(self, images):
        ids = _ids(images, ADVERSARIAL)
        features = self.encode(images, ids, training=True)
        return self.project(features, ids, training=True)

    def get_config(self):
        adversary = keras.saving.serialize_keras_object(self.adversary)
        return {**super().get_config(), "adversary": adversary}

    @classmethod
    def from_config(cls, config):
        adversary = config.get("adversary")
        adversary = keras.saving.deserialize_keras_object(adversary)
        return super().from_config({**config, "adversary": adversary})


def _ids(rows, split):
    """The same split for each row, int32 `(rows,)`."""
    return ops.full((ops.shape(rows)[0],), split, dtype="int32")


def _check_adversary(adversary):
    if not isinstance(adversary, Adversary):
        raise ValueError(
            "`adversary` must be a models.Adversary or None, received "
            f"{adversary!r}; models.Adversary(epsilon=8 / 255) is one."
        )


def _with_branches(model, name):
    """The model with a branch for adversarial rows, where it needs one."""
    if model is None:
        return None
    found = _batch_normalizations(model)
    if found and all(map(_is_plain, found)):
        model = layers.convert_to_split_batch_normalization(
            model, 2, "ids", split_affine=True, split_statistics=True
        )
        found = _batch_normalizations(model)
    ids_are_branches = bool(found) == layers.routes_by_ids(model)
    if not (ids_are_branches and all(map(_has_branches, found))):
        raise ValueError(
            f"`{name}` must normalize by plain BatchNormalization, which gets "
            "a branch for adversarial views, or without batches; received "
            f"{model.name}, which splits or renormalizes its batches; build "
            "it with normalization='batch'."
        )
    return model


def _batch_normalizations(model):
    return [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization)
    ]


def _is_plain(layer):
    split = isinstance(layer, layers.SplitBatchNormalization)
    return not (split or layer.renorm)


def _has_branches(layer):
    return (
        isinstance(layer, layers.SplitBatchNormalization)
        and (layer.num_splits, layer.assignment) == (2, "ids")
        and layer.split_affine
        and layer.split_statistics
    )
