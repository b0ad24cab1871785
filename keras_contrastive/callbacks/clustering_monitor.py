"""Clustering accuracy of the features, after every epoch of `fit`."""

import numpy as np

from keras_contrastive import evaluation
from keras_contrastive.callbacks.feature_monitor import FeatureMonitor
from keras_contrastive.callbacks.feature_monitor import check_count
from keras_contrastive.callbacks.feature_monitor import sample


class ClusteringMonitor(FeatureMonitor):
    """Puts the clustering accuracy of the features into the logs.

    After an epoch the features of some images are computed in inference
    mode and clustered by k-means, into as many clusters as there are
    classes; `clustering_accuracy` goes into the logs in place. It costs one
    forward pass of `max_images` images and a few initializations of k-means,
    fewer than `evaluation.evaluate_features` takes: a curve to watch, not a
    figure to publish.

    Args:
        images: images `(N, H, W, C)` with a length and integer-array
            indexing, uint8 or float in [0, 1].
        labels: integers `(N,)`, to score the clusters; k-means never sees
            them.
        every: int >= 1, epochs from one measurement to the next; the first
            and the last epoch are measured too, others lack the figure.
        n_init: int >= 1, initializations of k-means.
        max_images: int >= 1, a seeded sample of so many where there are
            more; None for all. They are held in memory.
        projections: bool, whether to log `projections_clustering_accuracy`
            too, on the outputs of `model.projector`.
        batch_size: int >= 1, images of one forward pass.
        seed: int, of the sample and of k-means.

    Raises:
        ValueError: for labels of another length, counts that are not
            positive, or, in `fit`, projections of a model without projector.

    Example:

    ```python
    dataset = data.load("digits")
    monitor = callbacks.ClusteringMonitor(
        dataset.test.images, dataset.test.labels
    )
    history = model.fit(dataset.train.images, epochs=5, callbacks=[monitor])
    print(history.history["clustering_accuracy"])
    ```
    """

    figures = ("clustering_accuracy",)

    def __init__(
        self,
        images,
        labels,
        every=1,
        n_init=3,
        max_images=1000,
        projections=False,
        batch_size=500,
        seed=0,
    ):
        check_count("n_init", n_init)
        images, self.labels = sample(images, labels, max_images, seed)
        super().__init__(images, every, projections, batch_size)
        self.n_init = n_init
        self.seed = seed

    def measure(self, features, name):
        (clusters,) = evaluation.kmeans_clustering(
            features,
            len(np.unique(self.labels)),
            seeds=1,
            n_init=self.n_init,
            seed=self.seed,
        )
        accuracy = evaluation.clustering_accuracy(self.labels, clusters)
        return {"clustering_accuracy": accuracy}
