"""Siamese training: pairs that are alike come together, others apart."""

import keras
import numpy as np
from keras import ops

from keras_contrastive.losses.cosine import raised
from keras_contrastive.losses.cosine import unit_vectors
from keras_contrastive.losses.distances import distances
from keras_contrastive.losses.margin_contrastive import margin_contrastive
from keras_contrastive.losses.pair_discrimination import pair_discrimination
from keras_contrastive.losses.siamese_composite import check_not_negative
from keras_contrastive.losses.siamese_composite import siamese_composite
from keras_contrastive.metrics.projection_geometry import GEOMETRY
from keras_contrastive.models import inputs as model_inputs
from keras_contrastive.models.arguments import check_choice
from keras_contrastive.models.contrastive_model import ContrastiveModel
from keras_contrastive.models.equal_lengths import check_lengths
from keras_contrastive.models.learning_variables import LearningVariables
from keras_contrastive.models.learning_variables import without
from keras_contrastive.models.pair_discriminator import pair_discriminator
from keras_contrastive.models.pair_discriminator import pair_features
from keras_contrastive.models.pairs import given_pairs
from keras_contrastive.models.pairs import mined_pairs
from keras_contrastive.models.view_geometry import view_geometry

OBJECTIVES = ("margin", "composite")
STAGES = ("joint", "encoder", "discriminator")


@keras.saving.register_keras_serializable(package="keras_contrastive")
class Siamese(LearningVariables, ContrastiveModel):
    """Siamese training, and a discriminator that judges pairs.

    Two images go through one encoder and one projector. An objective draws
    the embeddings of a pair together or apart, and a discriminator learns
    whether a pair shows the same thing, which `predict_pairs` tells. What
    the pairs are depends on the data and on `supervised`:

    - self-supervised: the two views of an image are alike; view 1 of an
      image and view 2 of the image that stands a few places further on in
      the batch are not. How many places is a hash of (seed, step), and
      never a whole round;
    - supervised: the same by labels. View 1 of an image goes with view 2 of
      the next image of its class, and of the next of another class, both
      counted from that place on. An image that is alone in its class goes
      with its own other view; one without any other class in the batch has
      no say;
    - batches with `other_images` and `same`, 1 or 0, beside `images` are
      pairs already, whatever `supervised` says. The discriminator compares
      each with a pair of the other kind, chosen likewise.

    The objectives:

    - `"margin"`: the mean of `losses.margin_contrastive` over pairs. Pairs
      that are not alike are pushed until they are `margin` apart, so that
      embeddings cannot become one point. With a margin of 1, unit vectors
      are left in peace beyond 60 degrees.
    - `"composite"`: `losses.siamese_composite`, the first source's. Its
      distance by itself would make all embeddings one point; the
      consistency term, which grows without bound as a variance vanishes,
      keeps the variance of each dimension at
      `1 / (1 + 4 r distance_weight / ((1 + gamma) consistency_weight))`,
      with `r` from 0 to 1 the share of it in which two views differ. It
      does not keep dimensions from being alike; only the discriminator
      does. Distance and consistency are sums over dimensions, and at equal
      weights drown it: hence the small defaults. (The source's plain sum is
      1 and 1.)

    Two stages, or one: in stage `"encoder"` the discriminator does not take
    part; in stage `"discriminator"` it alone learns, on embeddings in
    inference mode; in stage `"joint"` all learn together, by the sum of the
    objective and of `losses.pair_discrimination`, whose gradient reaches
    the encoder too. To set `stage` asks for `compile` again, since an
    optimizer belongs to the weights that it updates. All embeddings of a
    batch are gathered over replicas, so that N replicas train as one.

    Args:
        encoder: keras.Model from images `(N, H, W, C)` in [0, 1] to features
            `(N, dim)`.
        projector: `"linear"`, `"mlp"`, None, or a keras.Model from features
            to embeddings.
        discriminator: `"mlp"`, or a keras.Model from `(N, 2 * dim)`, that is
            `|a - b|` and `a * b` of two embeddings, to scores `(N, 1)`
            before the sigmoid. It cannot know which image came first.
        views: a policy's name, a policy of `views.policy`, or a pair of
            policies.
        objective: `"margin"` or `"composite"`.
        margin: float >= 0, Euclidean distance beyond which pairs that are
            not alike are left in peace; of the objective `"margin"`.
        supervised: bool, whether labels say what is alike.
        stage: `"joint"`, `"encoder"` or `"discriminator"`.
        distance_weight: float >= 0, the composite's lambda.
        consistency_weight: float >= 0, the composite's epsilon.
        gamma: float >= 0, how much view 1 weighs in the consistency.
        ranking_margin: float >= 0, by how much the score of a pair that is
            alike shall exceed that of one that is not; None for no ranking
            term.
        normalize: bool, whether embeddings are scaled to length one; by
            default, where the objective is `"margin"`. (Unit vectors of many
            dimensions are far from a standard normal.)
        **kwargs: as in `ContrastiveModel`.

    Raises:
        ValueError: for an argument out of range, or as in
            `ContrastiveModel`; and in `fit`, if labels or `same` are missing
            or pairs are of unequal length.

    Example:

    ```python
    model = Siamese(encoders.two_conv(), stage="encoder")
    model.compile(optimizer=keras.optimizers.Adam(1e-3))
    model.fit(images, batch_size=256, epochs=10)
    model.stage = "discriminator"
    model.compile(optimizer=keras.optimizers.Adam(1e-3))
    model.fit(images, batch_size=256, epochs=5)
    probabilities = model.predict_pairs(images[:100], images[100:200])
    ```

    Reference:
        Hadsell, Chopra and LeCun 2006,
        http://yann.lecun.com/exdb/publis/pdf/hadsell-chopra-lecun-06.pdf
    """

    metric_names = (
        "positive_distance",
        "negative_distance",
        "active_negatives",
        "discriminator_accuracy",
        *GEOMETRY,
    )
    most_views = 2

    def __init__(
        self,
        encoder,
        projector="linear",
        discriminator="mlp",
        views="simclr",
        objective="margin",
        margin=1.0,
        supervised=False,
        stage="joint",
        distance_weight=0.1,
        consistency_weight=1e-3,
        gamma=1.0,
        ranking_margin=1.0,
        normalize=None,
        **kwargs,
    ):
        check_choice("objective", objective, OBJECTIVES)
        check_choice("stage", stage, STAGES)
        check_not_negative(
            margin=margin,
            distance_weight=distance_weight,
            consistency_weight=consistency_weight,
            gamma=gamma,
            ranking_margin=0.0 if ranking_margin is None else ranking_margin,
        )
        super().__init__(encoder, projector=projector, views=views, **kwargs)
        self.discriminator = pair_discriminator(
            discriminator, self.projection_dim
        )
        self.objective = objective
        self.margin = margin
        self.supervised = supervised
        self.distance_weight = distance_weight
        self.consistency_weight = consistency_weight
        self.gamma = gamma
        self.ranking_margin = ranking_margin
        self.normalize = (
            objective == "margin" if normalize is None else normalize
        )
        self._stage = stage

    @property
    def stage(self):
        """What learns: `"joint"`, `"encoder"` or `"discriminator"`."""
        return self._stage

    @stage.setter
    def stage(self, stage):
        check_choice("stage", stage, STAGES)
        if stage != self._stage:
            self._stage = stage
            # The optimizer and the traced steps are of other weights: Keras
            # asks for `compile` before it trains again.
            self.compiled = False

    @property
    def metrics(self):
        unmeasured = []
        if self.objective != "margin":
            unmeasured.append("active_negatives")
        if self.stage == "encoder":
            unmeasured.append("discriminator_accuracy")
        return [each for each in super().metrics if each.name not in unmeasured]

    def make_views(self, batch, step):
        if "other_images" not in batch:
            return super().make_views(batch, step)
        if batch.get("same") is None:
            raise ValueError(
                "Siamese learns from given pairs by `same`, received "
                "`other_images` without it; put `same` into the batches, 1 "
                "for each pair that is alike and 0 for each that is not."
            )
        names = ("images", "other_images", "same")
        check_lengths(**{name: batch[name] for name in names})
        both = [batch["images"], batch["other_images"]]
        return self.draw_views(both, batch, step)

    def contrastive_step(self, batch, training):
        views = self._views(batch, training)
        candidates = [self.gathered(each) for each in views]
        form = given_pairs if "other_images" in batch else mined_pairs
        # As the views: where nothing is learned, those of step 0.
        step = self.step.value if training else 0
        pairs = form(self, batch, views, candidates, step)
        scores = None
        if self.stage != "encoder":
            scores = self._scores_of_both(pairs, training)
        rows, weights = self._rows(pairs, scores, candidates)
        return rows, weights, self._figures(pairs, scores)

    def rows_per_image(self, columns):
        return 0 if self.stage == "discriminator" else self.num_views

    def predict_pairs(self, images_1, images_2, batch_size=None):
        """Probabilities that two images show the same thing.

        The images are taken as they are, without random views, and the
        encoder is in inference mode. Which of the two is first does not
        matter.

        Args:
            images_1: uint8 or float in [0, 1], `(N, H, W, C)`.
            images_2: the same, image i to be compared with image i.
            batch_size: int, pairs at a time; 256 by default.

        Returns:
            float32 array `(N,)` in [0, 1].

        Raises:
            ValueError: if the two are of unequal length.
        """
        check_lengths(images_1=images_1, images_2=images_2)
        size = batch_size or model_inputs.DEFAULT_BATCH_SIZE
        features = [
            self.predict(images, batch_size=size, verbose=0)
            for images in (images_1, images_2)
        ]
        probabilities = []
        for start in range(0, len(images_1), size):
            pair = [
                self._compared(self.project(each[start : start + size]))
                for each in features
            ]
            scores = ops.sigmoid(self._scores(pair, training=False))
            probabilities.append(ops.convert_to_numpy(scores))
        return np.concatenate(probabilities)

    def learning(self, variables):
        """Those that learn in this stage; what a user froze is not there."""
        if self.stage == "joint":
            return variables
        others = without(variables, self.discriminator.variables)
        if self.stage == "encoder":
            return others
        return without(variables, others)

    def _views(self, batch, training):
        """Embeddings of both views, or of both images of given pairs."""
        learns = self.stage != "discriminator"
        views = self.projections_of_views(batch, training and learns)
        views = [self._compared(each) for each in views]
        if learns:
            return views
        return [ops.stop_gradient(each) for each in views]

    def _compared(self, projections):
        if self.normalize:
            return unit_vectors(projections)
        return raised(projections)

    def _scores(self, pair, training):
        embeddings_1, embeddings_2 = pair
        if self.normalize:
            # Values of about one, as a network likes them.
            root = embeddings_1.shape[-1] ** 0.5
            embeddings_1, embeddings_2 = (
                root * embeddings_1,
                root * embeddings_2,
            )
        features = pair_features(embeddings_1, embeddings_2)
        scores = self.discriminator(features, training=training)
        return raised(ops.reshape(scores, (-1,)))

    def _scores_of_both(self, pairs, training):
        """Scores of positive and of negative pairs, in one pass."""
        both = [ops.concatenate(each) for each in zip(*pairs[:2])]
        return ops.split(self._scores(both, training), 2)

    def _rows(self, pairs, scores, candidates):
        """The loss of each row, and the weights of the rows.

            discriminator   D, on rows that have pairs of both kinds
            composite       distance, consistency and, if there are scores, D,
                            on the same rows
            margin          mean of the margin loss over the row's pairs, and,
                            if there are scores, D where there are both kinds

        with D the loss of `losses.pair_discrimination`.
        """
        if self.stage == "discriminator":
            rows = pair_discrimination(*scores, self.ranking_margin)
            return rows, pairs.is_complete
        if self.objective == "composite":
            rows = siamese_composite(
                *pairs.positive,
                *(scores or (None, None)),
                self.distance_weight,
                self.consistency_weight,
                self.gamma,
                self.ranking_margin,
                candidates_1=candidates[0],
                candidates_2=candidates[1],
            )
            return rows, pairs.is_complete
        rows = sum(
            margin_contrastive(same, *pair, self.margin)
            for same, pair in pairs.margin_pairs
        ) / len(pairs.margin_pairs)
        if scores:
            judged = pair_discrimination(*scores, self.ranking_margin)
            rows = rows + pairs.is_complete * judged
        return rows, pairs.margin_weights

    def _figures(self, pairs, scores):
        """What the metrics are, over rows that have pairs of both kinds."""
        near, far = (
            distances(*pair, "euclidean")
            for pair in (pairs.positive, pairs.negative)
        )
        figures = {"positive_distance": near, "negative_distance": far}
        if self.objective == "margin":
            figures["active_negatives"] = ops.cast(far < self.margin, far.dtype)
        if scores:
            right = [scores[0] > 0, scores[1] <= 0]
            right = [ops.cast(each, far.dtype) for each in right]
            figures["discriminator_accuracy"] = 0.5 * (right[0] + right[1])
        weighted = {
            name: (values, pairs.is_complete)
            for name, values in figures.items()
        }
        return {**weighted, **view_geometry(*pairs.positive)}

    def get_config(self):
        return {
            **super().get_config(),
            "discriminator": keras.saving.serialize_keras_object(
                self.discriminator
            ),
            "objective": self.objective,
            "margin": self.margin,
            "supervised": self.supervised,
            "stage": self.stage,
            "distance_weight": self.distance_weight,
            "consistency_weight": self.consistency_weight,
            "gamma": self.gamma,
            "ranking_margin": self.ranking_margin,
            "normalize": self.normalize,
        }

    @classmethod
    def from_config(cls, config):
        discriminator = keras.saving.deserialize_keras_object(
            config["discriminator"]
        )
        return super().from_config({**config, "discriminator": discriminator})
