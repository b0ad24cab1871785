"""MoCo: momentum contrast against a queue of earlier keys."""

import warnings

import keras
from keras import ops

from keras_contrastive.losses.info_nce import info_nce
from keras_contrastive.metrics.contrastive_figures import FIGURES
from keras_contrastive.models.adversarial_training import AdversarialTraining
from keras_contrastive.models.info_nce_figures import info_nce_and_figures
from keras_contrastive.models.momentum_model import MomentumModel
from keras_contrastive.models.queue import Queue
from keras_contrastive.models.queue import check_size
from keras_contrastive.models.temperature_schedule import TemperatureSchedule
from keras_contrastive.models.temperature_schedule import (
    check_temperature_or_schedule,
)


@keras.saving.register_keras_serializable(package="keras_contrastive")
class MoCo(TemperatureSchedule, AdversarialTraining, MomentumModel):
    """MoCo: momentum contrast for unsupervised visual representations.

    A query, the projection of one view, must find the key of the other view
    of its image among the keys of earlier batches. Keys come from a copy of
    encoder and projector whose weights follow slowly. In a step:

    1. the copy's weights follow the encoder's;
    2. queries of the encoder, keys of the copy, whose batch is shuffled
       first, so that query and key of an image are normalized in different
       company where normalization is split;
    3. the loss, InfoNCE against the queue;
    4. the keys enter the queue, in place of the oldest ones.

    With an adversary the views of the queries are attacked, against the same
    keys and queue, which no attack changes, and the loss is

        InfoNCE(q, k) + weight * InfoNCE(adversarial q, k).

    `call` and `predict` give the features of the encoder, not of its copy.

    Args:
        encoder: keras.Model from images `(N, H, W, C)` in [0, 1] to features
            `(N, dim)`.
        projector: `"linear"` (v1's), `"mlp"`, None, or a keras.Model from
            features to projections; v2's is `layers.projection_head("mlp",
            dim, normalization=None)`.
        views: a policy's name, a policy of `views.policy`, or a pair of them:
            the queries' and the keys'.
        temperature: float > 0, or a schedule of the step; 0.07 in v1, 0.2 in
            v2, 0.1 in the CIFAR-10 demo.
        momentum: float in [0, 1], how much of the copy stays in a step, or a
            schedule such as `optimizers.CosineSchedule(0.99, steps,
            final=1.0)`; 0.999 on ImageNet, 0.99 in the CIFAR-10 demo.
        queue_size: int, keys in the queue, at least those of a batch; 65536
            on ImageNet, 4096 in the CIFAR-10 demo.
        symmetric: bool, whether each view is query and key once. The loss is
            the mean of both directions. (The demo's is their sum.)
        shuffle_keys: bool, whether keys are encoded in another order.
        eman: bool, whether the copy normalizes by moving statistics that
            follow the encoder's, not by those of its batch.
        adversary: `models.Adversary`, or None for clean views alone. The
            `encoder` and `projector` of the model are then copies whose batch
            normalization has a branch for clean and one for adversarial
            views; features and keys are the clean one's.
        **kwargs: as in `ContrastiveModel`.

    Raises:
        ValueError: for a number out of range, batch normalization that
            cannot be given branches, or as in `ContrastiveModel`.

    Example:

    ```python
    model = MoCo(encoders.two_conv(), queue_size=4096, momentum=0.99)
    model.compile(optimizer=optimizers.SGD(0.06, weight_decay=5e-4))
    model.fit(images, batch_size=512, epochs=10)
    features = model.predict(images)
    ```

    References:
        - He et al. 2019, https://arxiv.org/abs/1911.05722
        - Chen et al. 2020 (v2), https://arxiv.org/abs/2003.04297
        - Cai et al. 2021 (EMAN), https://arxiv.org/abs/2101.08482
        - Ho and Vasconcelos 2020 (CLAE), https://arxiv.org/abs/2010.12050
    """

    metric_names = (*FIGURES, "queue_age")
    least_images = 1

    def __init__(
        self,
        encoder,
        projector="mlp",
        views="moco_v2",
        temperature=0.1,
        momentum=0.99,
        queue_size=4096,
        adversary=None,
        **kwargs,
    ):
        check_temperature_or_schedule(temperature, "MoCo uses 0.1 on CIFAR-10")
        check_size("queue_size", queue_size)
        super().__init__(
            encoder,
            projector=projector,
            views=views,
            momentum=momentum,
            adversary=adversary,
            **kwargs,
        )
        self.temperature = temperature
        self.queue = Queue(queue_size, self.projection_dim, self.seed)

    def contrastive_step(self, batch, training):
        queries, keys = self.queries_and_keys(batch, training)
        negatives = ops.convert_to_tensor(self.queue.vectors)
        rows, figures = info_nce_and_figures(
            queries, keys, negatives, self.temperature_now()
        )
        figures["queue_age"] = self.queue.age(self.step.value)
        if self.adversary is not None:
            figures["clean_loss"] = rows
            if training:
                rows = rows + self._against_adversaries(batch, keys, negatives)
        if training:
            # After the loss of both directions: a key must not be a negative
            # of its own image.
            keys = self.of_all_replicas(keys)
            if keys.shape[0] is not None:
                self._check_queue(keys.shape[0])
            self.queue.enqueue(keys, self.step.value)
        return rows, None, figures

    def _against_adversaries(self, batch, keys, negatives):
        temperature = self.temperature_now()

        def loss_of(adversaries, rows):
            own = ops.take(keys, rows, axis=0)
            return info_nce(adversaries, own, negatives, temperature)

        return self.adversarial_loss(self.query_views(batch), batch, loss_of)

    def check_batches(self, batches):
        """Refuses a queue below a batch, warns of one above the dataset."""
        super().check_batches(batches)
        size = self.queue.size
        self._check_queue(batches.batch_size * self.num_directions)
        if size >= batches.num_images:
            warnings.warn(
                f"The queue holds {size} keys of {batches.num_images} images, "
                "so that older keys of an image are among its negatives; a "
                "smaller `queue_size` avoids it.",
                stacklevel=3,
            )

    def _check_queue(self, keys):
        if keys > self.queue.size:
            raise ValueError(
                "`queue_size` must be at least the number of keys of a "
                f"batch, received {self.queue.size} for {keys} keys; choose a "
                "larger queue or a smaller batch."
            )

    def get_config(self):
        return {**super().get_config(), "queue_size": self.queue.size}
