"""Whether the features collapse, after every epoch of `fit`."""

import numpy as np

from keras_contrastive import evaluation
from keras_contrastive.callbacks.feature_monitor import FeatureMonitor
from keras_contrastive.evaluation.features import sampled


class CollapseMonitor(FeatureMonitor):
    """Puts spread, effective rank and uniformity of features into the logs.

    A model whose features are the same for all images can have a falling
    loss. After an epoch the features of a few images are computed in
    inference mode; `spread`, `effective_rank` and `uniformity` go into the
    logs in place, and one warning says when the features are found collapsed
    (see `evaluation.collapsed`) twice in a row: those of a network that was
    hardly trained often lie close together. No labels are needed. Its cost is
    one forward pass of `max_images` images.

    Args:
        images: images `(N, H, W, C)` with a length and integer-array
            indexing, uint8 or float in [0, 1]; two at least.
        every: int >= 1, epochs from one measurement to the next; the first
            and the last epoch are measured too, others lack the figures.
        max_images: int >= 2, a seeded sample of so many where there are
            more; None for all. They are held in memory.
        projections: bool, whether to measure the outputs of
            `model.projector` too, as `projections_spread` and so on.
        batch_size: int >= 1, images of one forward pass.
        seed: int, of the sample.

    Raises:
        ValueError: for fewer than two images, counts that are not positive,
            or, in `fit`, projections of a model without projector.

    Example:

    ```python
    dataset = data.load("digits")
    monitor = callbacks.CollapseMonitor(dataset.train.images)
    history = model.fit(dataset.train.images, epochs=5, callbacks=[monitor])
    print(history.history["spread"])
    ```

    Reference: Chen and He 2021, section 4.1, for the spread,
    https://arxiv.org/abs/2011.10566
    """

    figures = ("spread", "effective_rank", "uniformity")

    def __init__(
        self,
        images,
        every=1,
        max_images=1000,
        projections=False,
        batch_size=500,
        seed=0,
    ):
        count = len(images) if max_images is None else max_images
        if min(count, len(images)) < 2:
            raise ValueError(
                "`images` and `max_images` must be two at least, received "
                f"{len(images)} and {max_images}: spread is about "
                "differences."
            )
        rows = sampled(len(images), max_images, seed)
        super().__init__(
            np.asarray(images[rows]), every, projections, batch_size
        )
        self._found_collapsed = set()

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self._found_collapsed.clear()

    def measure(self, features, name):
        figures = {
            "spread": evaluation.spread(features),
            "effective_rank": evaluation.effective_rank(features),
            "uniformity": evaluation.uniformity(features),
        }
        if not evaluation.collapsed(features):
            self._found_collapsed.discard(name)
        elif name not in self._found_collapsed:
            self._found_collapsed.add(name)
        else:
            self._warn_of_collapse(name, figures["spread"], features.shape[1])
        return figures

    def _warn_of_collapse(self, name, spread, dim):
        self.warn_once(
            f"collapse of the {name}",
            f"The {name} have collapsed: they are nearly the same for all "
            f"images (spread {spread:.2g}, of at most {1 / np.sqrt(dim):.2g})."
            " Look at the loss, the learning rate and the normalization.",
        )
