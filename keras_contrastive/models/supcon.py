"""SupCon: every view of every image of the class is a positive."""

import keras

from keras_contrastive.losses.supervised_contrastive import (
    supervised_contrastive,
)
from keras_contrastive.metrics.neighbour_accuracy import neighbour_accuracy
from keras_contrastive.metrics.projection_geometry import GEOMETRY
from keras_contrastive.models.contrastive_model import ContrastiveModel
from keras_contrastive.models.labelled import labelled_views
from keras_contrastive.models.temperature_schedule import TemperatureSchedule
from keras_contrastive.models.temperature_schedule import (
    check_temperature_or_schedule,
)
from keras_contrastive.models.view_geometry import view_geometry


@keras.saving.register_keras_serializable(package="keras_contrastive")
class SupCon(TemperatureSchedule, ContrastiveModel):
    """Supervised contrastive learning.

    Random views of each image go through the encoder and the projector in
    one pass; each must find all views of all images of its class.

    Args:
        encoder: keras.Model from images `(N, H, W, C)` in [0, 1] to features
            `(N, dim)`.
        projector: `"linear"`, `"mlp"` (the paper's), None, or a keras.Model
            from features to projections.
        views: a policy's name, a policy of `views.policy`, or a tuple of
            them, one for each view.
        temperature: float > 0, or a schedule of the step; 0.1 in the paper.
        **kwargs: as in `ContrastiveModel`.

    Raises:
        ValueError: if the temperature is not positive, or as in
            `ContrastiveModel`; and in `fit`, if there are no labels.

    Example:

    ```python
    model = SupCon(encoders.two_conv(), temperature=0.1)
    model.compile(optimizer=keras.optimizers.Adam(2e-3))
    model.fit(images, labels, batch_size=256, epochs=10)
    ```

    Reference:
        Khosla et al. 2020, https://arxiv.org/abs/2004.11362
    """

    metric_names = ("neighbour_accuracy", *GEOMETRY)

    def __init__(
        self,
        encoder,
        projector="mlp",
        views="simclr",
        temperature=0.1,
        **kwargs,
    ):
        check_temperature_or_schedule(temperature, "SupCon uses 0.1")
        super().__init__(encoder, projector=projector, views=views, **kwargs)
        self.temperature = temperature

    def contrastive_step(self, batch, training):
        views = self.projections_of_views(batch, training)
        labels, embeddings, candidates = labelled_views(self, views, batch)
        rows, weights = supervised_contrastive(
            labels,
            embeddings,
            self.temperature_now(),
            **candidates,
            with_weights=True,
        )
        accuracy = neighbour_accuracy(labels, embeddings, **candidates)
        figures = view_geometry(*views[:2])
        return rows, weights, {"neighbour_accuracy": accuracy, **figures}
