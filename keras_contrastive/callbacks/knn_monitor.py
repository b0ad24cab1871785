"""kNN accuracy of the features, after every epoch of `fit`."""

import numpy as np

from keras_contrastive import evaluation
from keras_contrastive.callbacks.feature_monitor import FeatureMonitor
from keras_contrastive.callbacks.feature_monitor import sample


class KNNMonitor(FeatureMonitor):
    """Puts the kNN accuracy of the features into the logs.

    The loss of a contrastive model says little about its features; this
    does, without training anything. After an epoch the features of a bank
    and of test images are computed in inference mode, and `knn_accuracy` goes
    into the logs in place, so that History, and CSVLogger, TensorBoard or
    ModelCheckpoint behind this callback, see it. Its cost is one forward
    pass of `max_train + max_test` images. Choose by validation images, and
    keep test images for the end.

    Args:
        train_images: images `(N, H, W, C)` with a length and integer-array
            indexing, uint8 or float in [0, 1]: the bank.
        train_labels: integers `(N,)`.
        test_images: images `(M, H, W, C)`.
        test_labels: integers `(M,)`.
        every: int >= 1, epochs from one measurement to the next; the first
            and the last epoch are measured too, others lack the figure.
        k: int >= 1, neighbours; no more than the bank holds are taken.
        temperature: float > 0, of the neighbours' weights.
        max_train: int >= 1, images of the bank, a seeded sample of them
            where there are more; None for all. They are held in memory.
        max_test: int >= 1 or None, the same of the test images.
        projections: bool, whether to log `projections_knn_accuracy` too, on
            the outputs of `model.projector`.
        batch_size: int >= 1, images of one forward pass.
        seed: int, of the samples.

    Raises:
        ValueError: for labels of another length, counts that are not
            positive, or, in `fit`, projections of a model without projector.

    Example:

    ```python
    dataset = data.load("digits")
    monitor = callbacks.KNNMonitor(
        dataset.train.images,
        dataset.train.labels,
        dataset.test.images,
        dataset.test.labels,
    )
    history = model.fit(dataset.train.images, epochs=5, callbacks=[monitor])
    print(history.history["knn_accuracy"])
    ```

    Reference: Wu et al. 2018, section 3.4, https://arxiv.org/abs/1805.01978
    """

    figures = ("knn_accuracy",)

    def __init__(
        self,
        train_images,
        train_labels,
        test_images,
        test_labels,
        every=1,
        k=200,
        temperature=0.1,
        max_train=5000,
        max_test=1000,
        projections=False,
        batch_size=500,
        seed=0,
    ):
        if k < 1 or not temperature > 0:
            raise ValueError(
                "`k` and `temperature` must be positive, received "
                f"{k} and {temperature}; 200 and 0.1 are usual on CIFAR-10."
            )
        generator = np.random.default_rng(seed)
        train, train_labels = sample(
            train_images, train_labels, max_train, generator, "train_"
        )
        test, test_labels = sample(
            test_images, test_labels, max_test, generator, "test_"
        )
        super().__init__(
            np.concatenate([train, test]), every, projections, batch_size
        )
        self.k = k
        self.temperature = temperature
        self.train_labels = train_labels
        self.test_labels = test_labels

    def measure(self, features, name):
        bank = len(self.train_labels)
        accuracy = evaluation.knn_accuracy(
            features[:bank],
            self.train_labels,
            features[bank:],
            self.test_labels,
            self.k,
            self.temperature,
        )
        return {"knn_accuracy": accuracy}
