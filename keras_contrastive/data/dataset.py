"""What every source delivers: images and labels for training and test."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
    """Images and, where they are known, their labels.

    Args:
        images: uint8 0..255 or float [0, 1], (N, height, width, channels):
            an array, or a memory-mapped one.
        labels: int32 (N,), the class of each image, or None.

    Example:

    >>> split = Split(np.zeros((2, 8, 8, 3), "uint8"), np.array([0, 1]))
    >>> len(split)
    2
    """

    images: np.ndarray
    labels: np.ndarray | None = None

    def __len__(self):
        return len(self.images)


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """A source of images: what to train on and what to test on.

    The validation images are drawn from `train` by `data.split`.

    Args:
        name: str, the name that `data.load` was asked for.
        train: `Split`, the images to train on.
        test: `Split`, the images to test on.
        class_names: tuple of str, the name of label 0, 1, and so on, or None
            where classes have no names.

    Example:

    ```python
    dataset = keras_contrastive.data.load("digits")
    dataset.train.images.shape  # (1438, 32, 32, 3)
    ```
    """

    name: str
    train: Split
    test: Split
    class_names: tuple | None = None

    @property
    def num_classes(self):
        """Number of classes over training and test, None without labels."""
        if self.class_names is not None:
            return len(self.class_names)
        labels = [
            split.labels
            for split in (self.train, self.test)
            if split.labels is not None
        ]
        return len(np.unique(np.concatenate(labels))) if labels else None
