"""AdCo: momentum contrast against negatives that are learned."""

import keras
from keras import ops

from keras_contrastive.losses.temperature import check_temperature
from keras_contrastive.metrics.contrastive_figures import FIGURES
from keras_contrastive.models.adversarial_negatives import AdversarialNegatives
from keras_contrastive.models.info_nce_figures import info_nce_and_figures
from keras_contrastive.models.momentum_model import MomentumModel


@keras.saving.register_keras_serializable(package="keras_contrastive")
class AdCo(MomentumModel):
    """AdCo: adversarial contrast, with self-trained negatives.

    As in MoCo, a query must find the key of the other view of its image. The
    negatives are not keys of earlier batches, but vectors of their own: the
    encoder descends the InfoNCE loss, and they ascend it, all of them in
    every step, after the loss, by momentum, and at a temperature of their
    own. Their gradient has a closed form: they are drawn to the queries,
    most to those that they are nearest to.

    As in the authors' code they begin as random directions, the keys of the
    first steps take their places one after the other, and when the last is
    taken, the ascent begins. Other than there, a query is held against its
    key and the negatives alone, not against the other keys of the batch; and
    negatives are of length one, where there they have a length, which
    decays.

    `call` and `predict` give the features of the encoder, not of its copy.

    Args:
        encoder: keras.Model from images `(N, H, W, C)` in [0, 1] to features
            `(N, dim)`.
        projector: `"linear"`, `"mlp"` (the paper's), None, or a keras.Model
            from features to projections.
        views: a policy's name, a policy of `views.policy`, or a pair of them:
            the queries' and the keys'.
        temperature: float > 0, of the encoder's loss; 0.12 on ImageNet, 0.14
            there with 8192 negatives.
        momentum: float in [0, 1], or a schedule, how much of the copy stays
            in a step; 0.999 on ImageNet.
        negatives: int, how many; 65536 on ImageNet, as good with 8192.
        negative_learning_rate: float >= 0, the rate of the ascent.
        negative_momentum: float in [0, 1), the momentum of the ascent.
        negative_temperature: float > 0, of the loss that the negatives
            ascend; 0.02 on ImageNet, 0.03 there with 8192 negatives.
        **kwargs: as in `MomentumModel`: `symmetric`, `shuffle_keys`, `eman`;
            and as in `ContrastiveModel`.

    Raises:
        ValueError: for a number out of range, or as in `ContrastiveModel`.

    Example:

    ```python
    model = AdCo(encoders.two_conv(), negatives=4096, momentum=0.99)
    model.compile(optimizer=optimizers.SGD(0.06, weight_decay=5e-4))
    model.fit(images, batch_size=512, epochs=10)
    features = model.predict(images)
    ```

    Reference:
        Hu et al. 2021, https://arxiv.org/abs/2011.08435
    """

    metric_names = FIGURES
    least_images = 1

    def __init__(
        self,
        encoder,
        projector="mlp",
        views="moco_v2",
        temperature=0.12,
        momentum=0.99,
        negatives=4096,
        negative_learning_rate=3.0,
        negative_momentum=0.9,
        negative_temperature=0.02,
        **kwargs,
    ):
        check_temperature(temperature, advice="AdCo uses 0.12 on ImageNet")
        super().__init__(
            encoder,
            projector=projector,
            views=views,
            momentum=momentum,
            **kwargs,
        )
        self.temperature = temperature
        self.negatives = AdversarialNegatives(
            negatives,
            self.projection_dim,
            negative_learning_rate,
            negative_momentum,
            negative_temperature,
            self.seed,
        )

    def contrastive_step(self, batch, training):
        queries, keys = self.queries_and_keys(batch, training)
        negatives = ops.convert_to_tensor(self.negatives.vectors)
        rows, figures = info_nce_and_figures(
            queries, keys, negatives, self.temperature
        )
        if training:
            self.negatives.update(queries, keys, self.of_all_replicas(keys))
        return rows, None, figures

    def get_config(self):
        learned = self.negatives
        return {
            **super().get_config(),
            "temperature": self.temperature,
            "negatives": learned.negatives,
            "negative_learning_rate": learned.negative_learning_rate,
            "negative_momentum": learned.negative_momentum,
            "negative_temperature": learned.negative_temperature,
        }
