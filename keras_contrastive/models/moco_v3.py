"""MoCo v3: momentum contrast within the batch, with a predictor."""

import keras
from keras import ops

from keras_contrastive import layers
from keras_contrastive.metrics.contrastive_figures import FIGURES
from keras_contrastive.models.arguments import head_normalization
from keras_contrastive.models.info_nce_figures import info_nce_and_figures
from keras_contrastive.models.momentum_model import MomentumModel
from keras_contrastive.models.temperature_schedule import TemperatureSchedule
from keras_contrastive.models.temperature_schedule import (
    check_temperature_or_schedule,
)


@keras.saving.register_keras_serializable(package="keras_contrastive")
class MoCoV3(TemperatureSchedule, MomentumModel):
    """MoCo v3: no queue, a predictor on the queries, both directions.

    Each view's query, that is predictor(projector(encoder(view))), must find
    the key of the other view among the keys of the batch, those of a copy of
    encoder and projector that follows slowly. The loss is the mean over both
    directions. (The paper's is their sum, times twice the temperature.)

    Args:
        encoder: keras.Model from images `(N, H, W, C)` in [0, 1] to features
            `(N, dim)`.
        projector: `"linear"`, `"mlp"`, None, or a keras.Model from features
            to projections.
        predictor: `"mlp"`, `"linear"`, None, or a keras.Model from
            projections to projections; the copy has none.
        views: a policy's name, a policy of `views.policy`, or a pair of them.
        temperature: float > 0, or a schedule of the step; 0.2 in the paper.
        momentum: float in [0, 1], or a schedule; in the paper from 0.99 to 1
            along a cosine.
        **kwargs: as in `MomentumModel`; `symmetric` is True.

    Raises:
        ValueError: for a number out of range, or as in `ContrastiveModel`.

    Example:

    ```python
    momentum = optimizers.CosineSchedule(0.99, steps=1000, final=1.0)
    model = MoCoV3(encoders.two_conv(), momentum=momentum)
    model.compile(optimizer=optimizers.LARS(0.3, weight_decay=1.5e-6))
    model.fit(images, batch_size=512, epochs=10)
    ```

    Reference:
        Chen, Xie and He 2021, https://arxiv.org/abs/2104.02057
    """

    metric_names = FIGURES

    def __init__(
        self,
        encoder,
        projector="mlp",
        predictor="mlp",
        views="simclr",
        temperature=0.2,
        momentum=0.99,
        symmetric=True,
        **kwargs,
    ):
        check_temperature_or_schedule(temperature, "MoCo v3 uses 0.2")
        super().__init__(
            encoder,
            projector=projector,
            views=views,
            momentum=momentum,
            symmetric=symmetric,
            **kwargs,
        )
        self.temperature = temperature
        if isinstance(predictor, str):
            predictor = layers.projection_head(
                predictor,
                self.projection_dim,
                self.projection_dim,
                normalization=head_normalization(self.encoder),
                name="predictor",
            )
        self.predictor = predictor

    def contrastive_step(self, batch, training):
        queries, keys = self.queries_and_keys(batch, training)
        if self.predictor is not None:
            queries = self.predictor(queries, training=training)
        directions = (
            ops.split(each, self.num_directions) for each in (queries, keys)
        )
        parts = [
            self._direction(*pair, self.places(batch))
            for pair in zip(*directions)
        ]
        rows, figures = zip(*parts)
        merged = {
            name: ops.concatenate(
                [ops.reshape(each[name], (-1,)) for each in figures]
            )
            for name in FIGURES
        }
        return ops.concatenate(rows), None, merged

    def _direction(self, queries, keys, positions):
        return info_nce_and_figures(
            queries,
            keys,
            temperature=self.temperature_now(),
            candidates=self.gathered(keys),
            positions=positions,
        )

    def get_config(self):
        return {
            **super().get_config(),
            "predictor": keras.saving.serialize_keras_object(self.predictor),
        }

    @classmethod
    def from_config(cls, config):
        predictor = keras.saving.deserialize_keras_object(config["predictor"])
        return super().from_config({**config, "predictor": predictor})
