"""What a study must be held against: pixels, PCA, and chance."""

import numpy as np

from keras_contrastive.evaluation.clustering import clustering_accuracy
from keras_contrastive.evaluation.features import as_features
from keras_contrastive.evaluation.features import as_labels
from keras_contrastive.evaluation.features import check_same_dim


def pixel_features(images):
    """Images as features: their pixels in [0, 1], side by side.

    Args:
        images: uint8 in [0, 255] or floats in [0, 1], `(N, H, W, C)`.

    Returns:
        float32 array `(N, H * W * C)`.

    Raises:
        ValueError: for another shape or dtype.

    Example:

    >>> pixel_features(np.full((2, 4, 4, 3), 255, "uint8")).shape
    (2, 48)
    """
    images = np.asarray(images)
    is_bytes = images.dtype == np.uint8
    if images.ndim != 4 or not (is_bytes or images.dtype.kind == "f"):
        raise ValueError(
            "`images` must be uint8 or float in [0, 1] of shape (N, H, W, C), "
            f"received {images.dtype} of shape {images.shape}."
        )
    pixels = images.reshape(len(images), -1).astype("float32")
    if is_bytes:
        pixels /= 255
    return pixels


def pca_features(train_features, *other_features, dim=128, seed=0):
    """Principal components, found on training features only.

    Args:
        train_features: floats `(N, width)`, e.g. of `pixel_features`.
        *other_features: floats `(M, width)`, to be projected as well.
        dim: int >= 1, components; no more than N and the width are taken.
        seed: int, of the randomized solver.

    Returns:
        Tuple of float32 arrays `(N, dim)`, one for each argument.

    Raises:
        ValueError: for features that are not finite, widths that differ, or
            a `dim` that is not positive.

    Example:

    >>> train, test = np.random.rand(20, 6), np.random.rand(5, 6)
    >>> [each.shape for each in pca_features(train, test, dim=2)]
    [(20, 2), (5, 2)]
    """
    from sklearn.decomposition import PCA

    if dim < 1:
        raise ValueError(
            f"`dim` must be at least 1, received {dim}; 128 is the width of "
            "usual features."
        )
    train = as_features(train_features, "train_features")
    others = [as_features(each, "other_features") for each in other_features]
    for each in others:
        check_same_dim(train, each, "train_features", "other_features")
    pca = PCA(min(dim, *train.shape), random_state=seed).fit(train)
    return tuple(
        pca.transform(each).astype("float32", copy=False)
        for each in (train, *others)
    )


def chance_clustering_accuracy(labels, num_clusters=None, trials=20, seed=0):
    """Clustering accuracy of clusters drawn at random.

    The best matching makes something of any clusters: of 10,000 images in 10
    classes 0.113, not 0.1.

    Args:
        labels: integers `(N,)`, the classes.
        num_clusters: int; by default as many as there are classes.
        trials: int >= 1, draws to take the mean over.
        seed: int.

    Returns:
        float in (0, 1].

    Raises:
        ValueError: if `labels` is not a vector of integers, or there is no
            trial or cluster.

    Example:

    >>> chance_clustering_accuracy([0] * 10)
    1.0
    """
    labels = as_labels(labels)
    if num_clusters is None:
        num_clusters = len(np.unique(labels))
    for name, value in (("num_clusters", num_clusters), ("trials", trials)):
        if value < 1:
            raise ValueError(f"`{name}` must be at least 1, received {value}.")
    generator = np.random.default_rng(seed)
    drawn = generator.integers(num_clusters, size=(trials, len(labels)))
    return float(np.mean([clustering_accuracy(labels, each) for each in drawn]))
