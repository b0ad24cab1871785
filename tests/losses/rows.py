"""Every loss on random input that has no symmetries, for tests of all."""

import numpy as np
from keras import ops

from keras_contrastive import losses
from tests.losses.checks import random_embeddings

LABELS = np.array([2, 0, 1, 0, 2, 2], "int32")
SAME = np.array([1, 0, 0, 1, 0, 1], "float32")
A, B, C = (random_embeddings(6, 4, seed) for seed in range(3))
VARIANCES = np.exp(0.3 * B)
SCORES = A[:, 0], B[:, 1]
ARGUMENTS = {
    "alignment": (A, B, 3.0),
    "batch_gaussian_kl": (A,),
    "bilinear_info_nce": (A, B),
    "decoupled_contrastive": (A, B, 0.3),
    "gaussian_kl": (A, VARIANCES),
    "given_triplet": (A, B, C, 0.4),
    "info_nce": (A, B, None, 0.3),
    "margin_contrastive": (SAME, A, B, 4.0),
    "nt_xent": (A, B, 0.3),
    "pair_discrimination": SCORES,
    "pair_distance": (A, B),
    "siamese_composite": (A, B, *SCORES, 0.3, 0.2, 0.7, 0.5),
    "similarity_consistency": (A, B, None, 0.3),
    "supervised_contrastive": (LABELS, A, 0.3),
    "triplet": (LABELS, A, 0.4, "euclidean", "all"),
    "uniformity": (A, 1.5),
}
FUNCTIONS = [name for name in losses.__all__ if name.islower()]


def rows_of(name, arguments, **kwargs):
    rows = getattr(losses, name)(*arguments, **kwargs)
    return ops.convert_to_numpy(rows)
