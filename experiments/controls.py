"""What a study's figures must be held against: no training at all."""

import time

import keras
import numpy as np

from experiments import run_evaluation
from experiments import run_folder
from experiments import setting_run
from keras_contrastive import evaluation

PCA_DIM = 64


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
    pixels = {
        name: evaluation.pixel_features(part.load())
        for name, part in parts.items()
    }
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
        "seconds": time.perf_counter() - start,
        "peak_memory_gib": run_folder.peak_memory_gib(),
    }
    return {**measured, "cost": cost}


def _chance(part):
    labels = part.own_labels
    counts = np.bincount(labels)
    return {
        "clustering_accuracy": evaluation.chance_clustering_accuracy(labels),
        "knn_accuracy": float(counts.max() / counts.sum()),
    }
