"""What a study's figures must be held against: no training at all."""

import math
import time

import keras
import numpy as np
from keras import ops

from experiments import run_evaluation
from experiments import run_folder
from experiments import setting_run
from keras_contrastive import evaluation
from keras_contrastive.views.inputs import to_unit_floats

PCA_DIM = 64
# Larger images are reduced to it: 45,000 of 96 pixels are 5 GB of features.
PIXELS_SIDE = 32
_CHUNK = 500


def measure(study_data, values):
    """The figures of chance, pixels, PCA and an untrained encoder.

    Args:
        study_data: StudyData.
        values: `flags.FLAGS`, parsed.

    Returns:
        Dict: control -> figures, as in a run's results; and `cost`, what it
        took to measure them.
    """
    start = time.perf_counter()
    parts = {
        "train": study_data.train,
        "validation": study_data.validation,
        "test": study_data.test,
    }
    pixels = {name: pixel_features(part) for name, part in parts.items()}
    pca = dict(
        zip(pixels, evaluation.pca_features(*pixels.values(), dim=PCA_DIM))
    )
    keras.utils.set_random_seed(0)
    untrained = setting_run.build("unsplit", study_data, values, seed=0)
    measured = {
        "chance": dict.fromkeys(
            ("features", "projections"),
            {
                "validation": _chance(study_data.validation),
                "test": _chance(study_data.test),
            },
        ),
        # A probe of thousands of columns would take longer than the study.
        "pixels": run_evaluation.figures(pixels, study_data, probe=False),
        "pca": run_evaluation.figures(pca, study_data),
        "untrained": run_evaluation.evaluate(untrained, study_data, None, 0),
    }
    cost = {
        "pixels_reduced_to": _reduced_size(study_data.test),
        "seconds": time.perf_counter() - start,
        "peak_memory_gib": run_folder.peak_memory_gib(),
    }
    return {**measured, "cost": cost}


def pixel_features(part):
    """The pixels of a part's images, of at most 32 by 32 each.

    Args:
        part: StudyData's Part, of which only a chunk is in memory at a time.

    Returns:
        float32 array `(count, height * width * channels)`.
    """
    reduced = _reduced_size(part)
    *size, channels = part.images.shape[1:]
    numbers = math.prod(reduced or size) * channels
    features = np.empty((len(part), numbers), "float32")
    for start in range(0, len(part), _CHUNK):
        images = part.images[part.indices[start : start + _CHUNK]]
        if reduced:
            images = _reduced(images, reduced)
        features[start : start + _CHUNK] = evaluation.pixel_features(images)
    return features


def _reduced_size(part):
    """Height and width to which pixels are reduced, or None."""
    sides = part.images.shape[1:3]
    scale = PIXELS_SIDE / max(sides)
    return None if scale >= 1 else [max(1, round(scale * s)) for s in sides]


def _reduced(images, size):
    return ops.convert_to_numpy(
        ops.image.resize(
            to_unit_floats(images),
            size,
            antialias=True,
            data_format="channels_last",
        )
    )


def _chance(part):
    labels = part.own_labels
    counts = np.bincount(labels)
    return {
        "clustering_accuracy": evaluation.chance_clustering_accuracy(labels),
        "knn_accuracy": float(counts.max() / counts.sum()),
    }
