"""Long-tailed training sets: few images of the last classes.

With n images of the largest class and an imbalance factor f, class c of C
keeps n * f ** (-c / (C - 1)) images, rounded down ("exponential"), or n in the
first half of the classes and n / f in the second ("step"). CIFAR-10-LT is
this with f = 10, 50, 100 on 5000 images a class.

Reference: Cao et al. 2019, https://arxiv.org/abs/1906.07413, section 4;
Cui et al. 2019, https://arxiv.org/abs/1901.05555, section 5.1.
"""

import math
import numbers

import numpy as np

from keras_contrastive.data.labels import as_labels
from keras_contrastive.data.labels import as_whole_number
from keras_contrastive.data.permutation import permutation_by_class


def long_tail(labels, imbalance_factor, seed, kind="exponential"):
    """Draws a long-tailed selection of the images.

    Classes are taken in the order of their labels; a class that has fewer
    images than the profile asks for keeps them all.

    Args:
        labels: int (N,), the class of each image.
        imbalance_factor: float >= 1, the largest class divided by the
            smallest; 1 keeps a balanced set whole.
        seed: int >= 0. The same seed keeps the same images again.
        kind: "exponential", or "step": the first half of the classes (of an
            odd number the larger half) stays whole, the others shrink.

    Returns:
        int64 (M,), the sorted row numbers of the images kept.

    Raises:
        ValueError: a bad argument, or a class that would be left empty.

    Example:

    >>> labels = np.repeat(np.arange(10), 5000)
    >>> np.bincount(labels[long_tail(labels, 100, seed=0)]).tolist()
    [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]

    Reference: Cao et al. 2019, https://arxiv.org/abs/1906.07413
    """
    if np.ndim(labels) != 1 or not len(labels):
        raise ValueError(
            "`labels` must be the class of each image, of shape (N,), "
            f"received {labels!r}; a long tail needs labels."
        )
    labels = as_labels(labels)
    seed = as_whole_number(seed, "seed", minimum=0)
    classes, counts = np.unique(labels, return_counts=True)
    targets = _profile(counts.max(), len(classes), imbalance_factor, kind)
    kept = np.minimum(counts, targets)
    order = permutation_by_class(labels, "long_tail", seed)
    starts = np.cumsum(counts) - counts
    return np.sort(
        np.concatenate([order[s : s + k] for s, k in zip(starts, kept)])
    )


def _profile(largest, num_classes, imbalance_factor, kind):
    is_number = isinstance(imbalance_factor, numbers.Real)
    if not (is_number and 1 <= imbalance_factor < math.inf):
        raise ValueError(
            "`imbalance_factor` must be at least 1, the largest class "
            f"divided by the smallest, received {imbalance_factor!r}; "
            "CIFAR-10-LT has 10, 50 or 100."
        )
    if kind not in ("exponential", "step"):
        raise ValueError(
            f"`kind` must be 'exponential' or 'step', received {kind!r}."
        )
    if imbalance_factor > largest:
        raise ValueError(
            "`imbalance_factor` must be at most the images of the largest "
            f"class, received {imbalance_factor!r} for {largest} images: "
            "the smallest class would be empty."
        )
    place = np.arange(num_classes) / max(num_classes - 1, 1)
    if kind == "step":
        place = np.arange(num_classes) >= math.ceil(num_classes / 2)
    # The small addend keeps 49 * (1 / 49) at 1.
    shares = np.power(1.0 / imbalance_factor, place)
    return np.floor(largest * shares + 1e-9).astype(int)
