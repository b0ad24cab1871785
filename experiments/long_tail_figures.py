"""What becomes of rare classes: accuracy over many, medium and few images.

Features are judged by a linear probe, fitted once to the long tail that they
were trained on, and once to the balanced images it was drawn from, which asks
what the features hold and not how rare a label is. A classifier is judged by
its own predictions, too. All on the balanced test set.
"""

import numpy as np

from experiments import run_evaluation
from keras_contrastive import evaluation
from keras_contrastive import models


def measure(model, study_data):
    """Accuracies by the frequency of classes.

    Args:
        model: ContrastiveModel, trained.
        study_data: StudyData with a long tail.

    Returns:
        Dict: how it was predicted -> figures of
        `evaluation.accuracy_by_frequency`.
    """
    print("    accuracy over many, medium and few images", flush=True)
    test, validation = study_data.test, study_data.validation
    judged = _features(model, test)
    choosing = _features(model, validation)
    predictions = {
        name: evaluation.linear_probe_predict(
            _features(model, train),
            train.own_labels,
            judged,
            choosing,
            validation.own_labels,
        )
        for name, train in (
            ("probe on the long tail", study_data.train),
            ("probe on balanced images", study_data.balanced),
        )
    }
    if isinstance(model, models.Classifier):
        probabilities = model.predict(test.batches(), verbose=0)
        predictions["its own"] = np.argmax(probabilities, axis=1)
    return {
        name: evaluation.accuracy_by_frequency(
            test.own_labels, predicted, study_data.class_counts
        )
        for name, predicted in predictions.items()
    }


def _features(model, part):
    return run_evaluation.features_and_projections(model, part)[0]
