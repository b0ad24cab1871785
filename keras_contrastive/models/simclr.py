"""SimCLR: two views of an image find each other among all of the batch."""

import keras

from keras_contrastive.distribution import replicas
from keras_contrastive.losses.nt_xent import nt_xent
from keras_contrastive.losses.temperature import check_temperature
from keras_contrastive.losses.view_similarities import view_similarities
from keras_contrastive.metrics.contrastive_figures import FIGURES
from keras_contrastive.metrics.contrastive_figures import contrastive_figures
from keras_contrastive.models.contrastive_model import ContrastiveModel


@keras.saving.register_keras_serializable(package="keras_contrastive")
class SimCLR(ContrastiveModel):
    """SimCLR: contrastive learning of visual representations.

    Two random views of each image go through the encoder and the projector
    in one pass; each view must find its partner among the 2N - 1 others.

    Args:
        encoder: keras.Model from images `(N, H, W, C)` in [0, 1] to features
            `(N, dim)`, such as `encoders.two_conv()`.
        projector: `"linear"`, `"mlp"` (the paper's), None, or a keras.Model
            from features to projections.
        views: a policy's name, a policy of `views.policy`, or a pair of
            policies.
        temperature: float > 0, the paper's T; 0.5 suits CIFAR-10.
        **kwargs: as in `ContrastiveModel`.

    Raises:
        ValueError: if the temperature is not positive, or as in
            `ContrastiveModel`.

    Example:

    ```python
    model = SimCLR(encoders.two_conv(), temperature=0.2)
    model.compile(optimizer=keras.optimizers.Adam(2e-3))
    model.fit(images, batch_size=256, epochs=10)
    features = model.predict(images)
    ```

    Reference:
        Chen et al. 2020, https://arxiv.org/abs/2002.05709
    """

    metric_names = FIGURES

    def __init__(
        self,
        encoder,
        projector="mlp",
        views="simclr",
        temperature=0.5,
        **kwargs,
    ):
        check_temperature(temperature)
        super().__init__(encoder, projector=projector, views=views, **kwargs)
        if self.num_views != 2:
            raise ValueError(
                f"SimCLR compares two views, received {self.num_views}."
            )
        self.temperature = temperature

    def contrastive_step(self, batch, training):
        view_1, view_2 = self.projections_of_views(batch, training)
        everybody = {
            "candidates_1": replicas.all_gather(view_1),
            "candidates_2": replicas.all_gather(view_2),
            "positions": batch["positions"],
        }
        rows = nt_xent(view_1, view_2, self.temperature, **everybody)
        similarities, _, positives = view_similarities(
            view_1, view_2, **everybody
        )
        figures = contrastive_figures(rows, similarities, positives, view_1)
        return rows, None, figures

    def get_config(self):
        return {**super().get_config(), "temperature": self.temperature}
