"""What methods share whose keys come from a slowly moving copy."""

import keras
from keras import ops

from keras_contrastive import layers
from keras_contrastive.distribution import replicas
from keras_contrastive.models.contrastive_model import ContrastiveModel
from keras_contrastive.models.learning_variables import LearningVariables
from keras_contrastive.models.learning_variables import without
from keras_contrastive.models.momentum_encoder import check_momentum
from keras_contrastive.models.momentum_encoder import follow
from keras_contrastive.models.momentum_encoder import frozen_copy
from keras_contrastive.models.shuffle import shuffled_rows


class MomentumModel(LearningVariables, ContrastiveModel):
    """Compares two views: one by the encoder, the other by its moving copy.

    Args:
        encoder: as in `ContrastiveModel`.
        momentum: float in [0, 1], how much of the copy stays in a step, or a
            schedule of the step.
        symmetric: bool, whether each view is query and key once.
        shuffle_keys: bool, whether keys are encoded in another order, so
            that query and key of an image are normalized in different
            company where normalization is split.
        eman: bool, whether the copy normalizes by moving statistics that
            follow the encoder's, not by those of its batch.
        **kwargs: as in `ContrastiveModel`.

    Raises:
        ValueError: for a momentum out of range, or as in `ContrastiveModel`.

    References:
        - He et al. 2019, https://arxiv.org/abs/1911.05722
        - Cai et al. 2021 (EMAN), https://arxiv.org/abs/2101.08482
    """

    most_views = 2

    def __init__(
        self,
        encoder,
        momentum=0.99,
        symmetric=False,
        shuffle_keys=True,
        eman=False,
        **kwargs,
    ):
        check_momentum(momentum)
        super().__init__(encoder, **kwargs)
        self.momentum = momentum
        self.symmetric = symmetric
        self.shuffle_keys = shuffle_keys
        self.eman = eman
        self.key_encoder = frozen_copy(self.encoder)
        self.key_projector = frozen_copy(self.projector)

    def learning(self, variables):
        """All but the copy's, which `trainable` set to True would thaw."""
        for copy in (self.key_encoder, self.key_projector):
            if copy is not None:
                variables = without(variables, copy.variables)
        return variables

    def queries_and_keys(self, batch, training):
        """Projects queries and keys, after the copy has followed.

        Args:
            batch: as in `contrastive_step`.
            training: bool.

        Returns:
            Two float tensors `(directions * N, dim)`, row by row of one
            image; the keys without gradient.
        """
        if training:
            self._follow()
        views = self.each_view(batch["views"])
        directions = [(0, 1), (1, 0)][: self.num_directions]
        return (
            self._queries(views, directions, batch, training),
            self._keys(views, directions, batch, training),
        )

    @property
    def num_directions(self):
        """How many lots of rows queries and keys consist of."""
        return 2 if self.symmetric else 1

    @property
    def row_lots(self):
        return self.num_directions

    def rows_per_image(self, columns):
        return self.num_directions

    def of_all_replicas(self, rows):
        """Rows of queries or keys, of the global batch in its order.

        Args:
            rows: tensor `(directions * N, ...)`.

        Returns:
            Tensor `(directions * all, ...)`.
        """
        return replicas.all_gather(rows, self.num_directions)

    def query_views(self, batch):
        """The views that are queries: a list of `(N, h, w, C)`.

        Args:
            batch: as in `contrastive_step`.

        Returns:
            List of float tensors, in the order of the queries' rows.
        """
        views = self.each_view(batch["views"])
        return views if self.symmetric else views[:1]

    def get_config(self):
        return {
            **super().get_config(),
            "momentum": keras.saving.serialize_keras_object(self.momentum),
            "symmetric": self.symmetric,
            "shuffle_keys": self.shuffle_keys,
            "eman": self.eman,
        }

    @classmethod
    def from_config(cls, config):
        momentum = keras.saving.deserialize_keras_object(config["momentum"])
        return super().from_config({**config, "momentum": momentum})

    def _follow(self):
        momentum = self.momentum
        if callable(momentum):
            momentum = momentum(self.step.value)
        follow(self.key_encoder, self.encoder, momentum, self.eman)
        follow(self.key_projector, self.projector, momentum, self.eman)

    def _queries(self, views, directions, batch, training):
        images = ops.concatenate([views[query] for query, _ in directions])
        split_ids = _repeated(self.split_ids_of(batch), len(directions))
        features = self.encode(images, split_ids, training)
        return self.project(features, split_ids, training)

    def _keys(self, views, directions, batch, training):
        images = ops.concatenate([views[key] for _, key in directions])
        split_ids = _repeated(self.split_ids_of(batch), len(directions))
        # By moving statistics a row does not see its company.
        by_batch = training and not self.eman
        if not (by_batch and self.shuffle_keys):
            return self._encode_keys(images, split_ids, by_batch)
        images = self.of_all_replicas(images)
        order, inverse = shuffled_rows(
            ops.shape(images)[0], self.seed, self.step.value
        )
        images = replicas.my_rows(ops.take(images, order, axis=0))
        if split_ids is not None:
            split_ids = self.of_all_replicas(split_ids)
            split_ids = replicas.my_rows(ops.take(split_ids, order, axis=0))
        keys = self._encode_keys(images, split_ids, by_batch)
        keys = ops.take(replicas.all_gather(keys), inverse, axis=0)
        return replicas.my_rows(keys, self.num_directions)

    def _encode_keys(self, images, split_ids, training):
        keys = layers.call_routed(
            self.key_encoder, images, split_ids, training=training
        )
        if self.key_projector is not None:
            keys = layers.call_routed(
                self.key_projector, keys, split_ids, training=training
            )
        return ops.stop_gradient(keys)


def _repeated(split_ids, times):
    return None if split_ids is None else ops.tile(split_ids, (times,))
