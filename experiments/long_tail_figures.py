"""What becomes of rare classes: accuracy over many, medium and few images.

Features are judged by a linear probe, fitted once to the long tail that they
were trained on, and once to the balanced images it was drawn from, which asks
what the features hold and not how rare a label is. A classifier is judged by
its own predictions, too. All on the balanced test set.
"""

import numpy as np

from experiments import devices
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
        `evaluation.accuracy_by_frequency`; of several workers the chief's
        only, and empty of the others.
    """
    test, validation = study_data.test, study_data.validation
    tail, balanced = study_data.train, study_data.balanced
    # Workers predict together, whoever needs it.
    features = [
        _features(model, each) for each in (tail, balanced, test, validation)
    ]
    predictions = {}
    if isinstance(model, models.Classifier):
        probabilities = model.predict(test.batches(), verbose=0)
        predictions["its own"] = np.argmax(probabilities, axis=1)
    if not devices.is_chief():
        return {}
    print("    accuracy over many, medium and few images", flush=True)
    # A probe must not be chosen by what it was fitted to.
    chosen_by = () if study_data.validation_is_seen else (
        features[3], validation.own_labels
    )  # fmt: skip
    for name, train, known in (
        ("probe on the long tail", tail, features[0]),
        ("probe on balanced images", balanced, features[1]),
    ):
        predictions[name] = evaluation.linear_probe_predict(
            known, train.own_labels, features[2], *chosen_by
        )
    return {
        name: evaluation.accuracy_by_frequency(
            test.own_labels, predicted, study_data.class_counts
        )
        for name, predicted in predictions.items()
    }


def _features(model, part):
    return run_evaluation.features_and_projections(model, part)[0]
