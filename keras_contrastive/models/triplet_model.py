"""Triplet training: by labels, by views, or on triplets that are given."""

import keras
from keras import ops

from keras_contrastive.distribution import replicas
from keras_contrastive.losses.cosine import unit_vectors
from keras_contrastive.losses.distances import check_distance
from keras_contrastive.losses.label_pairs import label_pairs
from keras_contrastive.losses.triplet import check_margin
from keras_contrastive.losses.triplet import check_mining
from keras_contrastive.losses.triplet import given_triplet
from keras_contrastive.losses.triplet import triplet
from keras_contrastive.metrics.projection_geometry import GEOMETRY
from keras_contrastive.models.contrastive_model import ContrastiveModel
from keras_contrastive.models.labelled import labelled_views
from keras_contrastive.models.view_geometry import view_geometry

# To count the triplets of all anchors takes as long as the loss itself.
MEASURED_ANCHORS = 128
# A view of each of the three, the anchor first.
GIVEN = ("images", "positive_images", "negative_images")


@keras.saving.register_keras_serializable(package="keras_contrastive")
class TripletModel(ContrastiveModel):
    """Triplet training: nearer to your own than to any other, by a margin.

    Who is an anchor's own depends on the data and on `supervised`:

    - supervised: all views of images of the anchor's class; batches of
      `data.batches(order="classes")` hold several images of each class;
    - self-supervised: the other views of the anchor's image;
    - batches with `positive_images` and `negative_images` beside `images`
      are triplets already, whatever `supervised` says.

    Args:
        encoder: keras.Model from images `(N, H, W, C)` in [0, 1] to features
            `(N, dim)`.
        projector: `"linear"`, `"mlp"`, None, or a keras.Model from features
            to embeddings.
        views: a policy's name, a policy of `views.policy`, or a tuple of
            them, one for each view.
        margin: float >= 0, or None for the soft margin.
        distance: `"euclidean"`, `"squared"` or `"cosine"`.
        mining: `"all"`, `"nonzero"`, `"semi_hard"`, `"hard"` or
            `"easy_positive"`; see `losses.triplet`.
        supervised: bool, whether labels say who is whose own.
        normalize: bool, whether embeddings are scaled to length one, as
            FaceNet's are.
        **kwargs: as in `ContrastiveModel`.

    Raises:
        ValueError: for an argument out of range, or as in
            `ContrastiveModel`; and in `fit`, if labels or a part of given
            triplets are missing.

    Example:

    ```python
    model = TripletModel(encoders.two_conv(), margin=0.2)
    model.compile(optimizer=keras.optimizers.Adam(1e-3))
    model.fit(images, labels, batch_size=256, epochs=10)
    ```

    References:
        - Schroff et al. 2015, https://arxiv.org/abs/1503.03832
        - Hermans et al. 2017, https://arxiv.org/abs/1703.07737
    """

    metric_names = ("active_triplets", *GEOMETRY)

    def __init__(
        self,
        encoder,
        projector="linear",
        views="simclr",
        margin=0.2,
        distance="euclidean",
        mining="semi_hard",
        supervised=True,
        normalize=True,
        **kwargs,
    ):
        check_margin(margin)
        check_distance(distance)
        check_mining(mining)
        super().__init__(encoder, projector=projector, views=views, **kwargs)
        self.margin = margin
        self.distance = distance
        self.mining = mining
        self.supervised = supervised
        self.normalize = normalize

    def make_views(self, batch, step):
        missing = [name for name in GIVEN if name not in batch]
        if missing == list(GIVEN[1:]):
            return super().make_views(batch, step)
        if missing:
            raise ValueError(
                "TripletModel learns from given triplets of "
                f"{', '.join(f'`{name}`' for name in GIVEN)}, received no "
                f"`{missing[0]}`; put it into the batches, or leave out both."
            )
        return self.draw_views([batch[name] for name in GIVEN], batch, step)

    def rows_per_image(self, columns):
        return len(GIVEN) if "positive_images" in columns else self.num_views

    def contrastive_step(self, batch, training):
        given = "positive_images" in batch
        count = len(GIVEN) if given else self.num_views
        views = self.projections_of_views(batch, training, count)
        if self.normalize:
            views = [unit_vectors(each) for each in views]
        rows, weights, active = (
            self._given(views) if given else self._mined(views, batch)
        )
        figures = view_geometry(*views[:2])
        return rows, weights, {"active_triplets": active, **figures}

    def _given(self, views):
        rows = given_triplet(*views, self.margin, self.distance)
        order = given_triplet(*views, self.margin or 0.0, self.distance)
        active = ops.cast(order > 0, "float32")
        return rows, None, active

    def _mined(self, views, batch):
        own = None if self.supervised else batch["positions"]
        labels, embeddings, candidates = labelled_views(self, views, batch, own)
        rows, weights = triplet(
            labels,
            embeddings,
            self.margin,
            distance=self.distance,
            mining=self.mining,
            with_weights=True,
            **candidates,
        )
        return rows, weights, self._active(labels, embeddings, **candidates)

    def _active(
        self, labels, embeddings, candidates, candidate_labels, positions
    ):
        """The share of all triplets that are not yet far enough."""
        # Rows stand in order: the first of all replicas' rows are among the
        # first of their own.
        labels = labels[:MEASURED_ANCHORS]
        embeddings = ops.stop_gradient(embeddings[:MEASURED_ANCHORS])
        positions = positions[:MEASURED_ANCHORS]
        _, active = triplet(
            labels,
            embeddings,
            self.margin or 0.0,
            distance=self.distance,
            mining="nonzero",
            candidates=candidates,
            candidate_labels=candidate_labels,
            positions=positions,
            with_weights=True,
        )
        pairs = label_pairs(
            labels,
            embeddings,
            candidate_labels,
            candidates,
            positions,
        )[1:]
        positives, negatives = (
            ops.sum(ops.cast(each, active.dtype), axis=1) for each in pairs
        )
        measured = ops.cast(positions < MEASURED_ANCHORS, active.dtype)
        found = replicas.all_sum(ops.sum(active * measured))
        every = replicas.all_sum(ops.sum(positives * negatives * measured))
        return found / ops.maximum(every, 1.0)

    def get_config(self):
        return {
            **super().get_config(),
            "margin": self.margin,
            "distance": self.distance,
            "mining": self.mining,
            "supervised": self.supervised,
            "normalize": self.normalize,
        }
