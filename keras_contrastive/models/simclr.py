"""SimCLR: two views of an image find each other among all of the batch."""

import keras
from keras import ops

from keras_contrastive.losses.nt_xent import nt_xent
from keras_contrastive.losses.row_chunks import check_chunk_size
from keras_contrastive.metrics.contrastive_figures import FIGURES
from keras_contrastive.models.adversarial_training import AdversarialTraining
from keras_contrastive.models.contrastive_model import ContrastiveModel
from keras_contrastive.models.nt_xent_figures import nt_xent_and_figures
from keras_contrastive.models.temperature_schedule import TemperatureSchedule
from keras_contrastive.models.temperature_schedule import (
    check_temperature_or_schedule,
)


@keras.saving.register_keras_serializable(package="keras_contrastive")
class SimCLR(TemperatureSchedule, AdversarialTraining, ContrastiveModel):
    """SimCLR: contrastive learning of visual representations.

    Two random views of each image go through the encoder and the projector
    in one pass; each view must find its partner among the 2N - 1 others.

    With an adversary, which is CLAE, the second view is attacked, and the
    loss is

        NTXent(z_1, z_2) + weight * NTXent(z_1, adversarial z_2).

    (CLAE's code attacks the first view, and compares it with itself unharmed;
    RoCL attacks as it is done here.) Where a share of the images is attacked,
    the second term is the mean over the rows of these, and the others' clean
    views are among their negatives.

    Args:
        encoder: keras.Model from images `(N, H, W, C)` in [0, 1] to features
            `(N, dim)`, such as `encoders.two_conv()`.
        projector: `"linear"`, `"mlp"` (the paper's), None, or a keras.Model
            from features to projections.
        views: a policy's name, a policy of `views.policy`, or a pair of
            policies.
        temperature: float > 0, the paper's T, or a schedule of the step;
            0.5 suits CIFAR-10.
        adversary: `models.Adversary`, or None for clean views alone. The
            `encoder` and `projector` of the model are then copies whose batch
            normalization has a branch for clean and one for adversarial
            views; features are the clean one's.
        chunk_size: int, how many of the 2N rows of similarities there are at
            a time, or None for all. A step with all of them holds several
            matrices of 16 N^2 bytes, N the images of the global batch; where
            they do not fit, 1024 rows at a time train the same, and
            calculate the similarities twice.
        **kwargs: as in `ContrastiveModel`.

    Raises:
        ValueError: if the temperature or the chunk size is not positive,
            batch normalization cannot be given branches, or as in
            `ContrastiveModel`.

    Example:

    ```python
    model = SimCLR(encoders.two_conv(), temperature=0.2)
    model.compile(optimizer=keras.optimizers.Adam(2e-3))
    model.fit(images, batch_size=256, epochs=10)
    features = model.predict(images)
    ```

    References:
        - Chen et al. 2020, https://arxiv.org/abs/2002.05709
        - Ho and Vasconcelos 2020 (CLAE), https://arxiv.org/abs/2010.12050
        - Kim et al. 2020 (RoCL), https://arxiv.org/abs/2006.07589
    """

    metric_names = FIGURES
    most_views = 2

    def __init__(
        self,
        encoder,
        projector="mlp",
        views="simclr",
        temperature=0.5,
        adversary=None,
        chunk_size=None,
        **kwargs,
    ):
        check_temperature_or_schedule(temperature, "0.5 suits CIFAR-10")
        check_chunk_size(chunk_size)
        super().__init__(
            encoder,
            projector=projector,
            views=views,
            adversary=adversary,
            **kwargs,
        )
        self.temperature = temperature
        self.chunk_size = chunk_size

    def contrastive_step(self, batch, training):
        view_1, view_2 = self.projections_of_views(batch, training)
        candidates = {
            "candidates_1": self.gathered(view_1),
            "candidates_2": self.gathered(view_2),
            "positions": self.places(batch),
        }
        rows, figures = nt_xent_and_figures(
            view_1,
            view_2,
            self.temperature_now(),
            self.chunk_size,
            **candidates,
        )
        if self.adversary is not None:
            figures["clean_loss"] = rows
            if training:
                rows = rows + self._against_adversaries(batch, view_1, view_2)
        return rows, None, figures

    def _against_adversaries(self, batch, view_1, view_2):
        temperature = self.temperature_now()

        def loss_of(adversaries, rows):
            changed = ops.scatter_update(view_2, rows[:, None], adversaries)
            return nt_xent(
                ops.take(view_1, rows, axis=0),
                adversaries,
                temperature,
                candidates_1=self.gathered(view_1),
                candidates_2=self.gathered(changed),
                positions=ops.take(self.places(batch), rows, axis=0),
                chunk_size=self.chunk_size,
            )

        second = self.each_view(batch["views"])[1:]
        return self.adversarial_loss(second, batch, loss_of)

    def get_config(self):
        return {**super().get_config(), "chunk_size": self.chunk_size}
