"""What all monitors of features share: when to look, and at what."""

import warnings

import keras
import numpy as np

from keras_contrastive.evaluation.features import sampled


class FeatureMonitor(keras.callbacks.Callback):
    """Measures features of a few images after an epoch, for the logs.

    Features are those of `model.predict`, so of images as they are and in
    inference mode. The figures go into the logs in place: History, the
    progress bar and callbacks that stand behind this one see them. Epochs
    that are not measured lack them. Subclasses state `figures` and
    `measure`.

    Args:
        images: array `(N, H, W, C)`, held in memory.
        every: int >= 1, epochs from one measurement to the next; the first
            and the last epoch are measured too.
        projections: bool, whether to measure the projections of
            `model.predict_projections` too, under names that begin with
            `projections_`.
        batch_size: int, images of one forward pass.
    """

    #: Names of what `measure` returns.
    figures = ()

    def __init__(self, images, every, projections, batch_size):
        super().__init__()
        check_count("every", every)
        check_count("batch_size", batch_size)
        self.images = images
        self.every = every
        self.projections = projections
        self.batch_size = batch_size
        self._warned = set()

    def measure(self, features, name):
        """The figures of features.

        Args:
            features: float array `(N, dim)`, finite.
            name: `"features"` or `"projections"`, for what is said of them.

        Returns:
            Dict of floats, named by `figures`.
        """
        raise NotImplementedError

    def on_train_begin(self, logs=None):
        self._warned.clear()
        if hasattr(self.model, "check_images"):
            # Now, not when the first epoch is over.
            self.model.check_images(self.images)
        if self.projections and getattr(self.model, "projector", None) is None:
            raise ValueError(
                "`projections=True` needs a model with a projector, received "
                f"{type(self.model).__name__} without one; leave it out."
            )

    def on_epoch_end(self, epoch, logs=None):
        number = epoch + 1
        last = self.params.get("epochs") if self.params else None
        if number != 1 and number % self.every and number != last:
            return
        logs = {} if logs is None else logs
        features = self.model.predict(
            self.images, batch_size=self.batch_size, verbose=0
        )
        logs.update(self._checked(features, "features"))
        if self.projections:
            projections = self.model.predict_projections(
                features, self.batch_size
            )
            projections = self._checked(projections, "projections")
            logs.update({f"projections_{k}": x for k, x in projections.items()})

    def warn_once(self, subject, sentence):
        """Warns at the first time in a training, for each subject.

        Args:
            subject: str, what the warning is about.
            sentence: str.
        """
        if subject not in self._warned:
            self._warned.add(subject)
            warnings.warn(sentence, stacklevel=3)

    def _checked(self, values, name):
        """What is measured; NaN, and training goes on, if it cannot be."""
        bad = np.count_nonzero(~np.isfinite(values).all(axis=1))
        if not bad:
            return self.measure(values, name)
        self.warn_once(
            name,
            f"The {name} of {bad} of {len(values)} images are not finite, so "
            "nothing can be measured on them: the training has diverged. "
            "Lower the learning rate, or raise the temperature.",
        )
        return dict.fromkeys(self.figures, float("nan"))


def check_count(name, value):
    """Refuses a count that is not positive.

    Args:
        name: str, the argument's name.
        value: what was received.

    Raises:
        ValueError: if it is less than 1.
    """
    if value < 1:
        raise ValueError(f"`{name}` must be at least 1, received {value}.")


def sample(images, labels, maximum, seed, prefix=""):
    """A seeded sample of images and their labels, held in memory.

    Args:
        images: images `(N, H, W, C)` with a length and integer-array
            indexing.
        labels: integers `(N,)`.
        maximum: int >= 1, images to take at most, or None for all.
        seed: int, or a `numpy.random.Generator` to draw from.
        prefix: str, what stands before `images` and `labels` in the names of
            the caller's arguments.

    Returns:
        Arrays of images and of labels.

    Raises:
        ValueError: for labels of another length, or less than one image.
    """
    labels = np.asarray(labels)
    if len(images) != len(labels):
        raise ValueError(
            f"`{prefix}labels` must have one entry for each of "
            f"`{prefix}images`, received {len(labels)} for {len(images)} "
            "images."
        )
    if maximum is not None and maximum < 1:
        raise ValueError(
            f"`max_{prefix.strip('_') or 'images'}` must be at least 1, or "
            f"None for all images, received {maximum}."
        )
    rows = sampled(len(images), maximum, seed)
    return np.asarray(images[rows]), labels[rows]
