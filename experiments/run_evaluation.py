"""Every figure of a trained model, or of any other features."""

import numpy as np

from experiments import devices
from experiments import pictures
from keras_contrastive import evaluation
from keras_contrastive import models


class Diverged(Exception):
    """A model whose features are not numbers any more."""


def feature_model(model):
    """What predicts features: a model, or of a classifier its encoder.

    Args:
        model: ContrastiveModel.

    Returns:
        ContrastiveModel.
    """
    if isinstance(model, models.Classifier):
        return models.ContrastiveModel(model.encoder, projector=None)
    return model


def features_and_projections(model, part):
    """What a model makes of a part's images, in inference mode.

    Args:
        model: ContrastiveModel.
        part: study_data.Part.

    Returns:
        Tuple of float32 arrays `(count, dim)`.
    """
    model = feature_model(model)
    features = model.predict(part.batches(), verbose=0)
    if model.projector is None:
        return features, features
    return features, model.predict_projections(features)


def evaluate(model, study_data, folder, seed):
    """Every figure for features and projections, on validation and test.

    Args:
        model: ContrastiveModel.
        study_data: StudyData.
        folder: RunFolder, for the picture of the embedding; or None.
        seed: int.

    Returns:
        Dict: features or projections -> validation or test -> figures; of
        several workers the chief's only, and empty of the others.

    Raises:
        Diverged: for features or projections that are not finite.
    """
    parts = {
        "train": study_data.train,
        "validation": study_data.validation,
        "test": study_data.test,
    }
    outputs = {
        name: features_and_projections(model, part)
        for name, part in parts.items()
    }
    if not all(
        np.isfinite(each).all() for both in outputs.values() for each in both
    ):
        raise Diverged
    if not devices.is_chief():
        return {}
    if folder is not None:
        pictures.draw_embedding(
            outputs["test"][0],
            study_data.test.own_labels,
            study_data.class_names,
            folder / "embedding.png",
            seed=seed,
        )
    print("    clustering, kNN and linear probe", flush=True)
    return {
        kind: figures({name: both[index] for name, both in outputs.items()},
                      study_data)
        for index, kind in enumerate(("features", "projections"))
    }  # fmt: skip


def figures(features, study_data, probe=True):
    """The figures of one kind of features.

    Args:
        features: dict of arrays for train, validation and test.
        study_data: StudyData.
        probe: bool, whether to fit a linear probe.

    Returns:
        Dict: validation or test -> figures; of validation none where its
        images are trained on.
    """
    if study_data.test.labels is None:
        return {"validation": {}, "test": _geometry(features["test"])}
    # A probe must not be chosen by what it was fitted to.
    validation = {} if study_data.validation_is_seen else {
        "validation_features": features["validation"],
        "validation_labels": study_data.validation.own_labels,
    }  # fmt: skip
    measured = evaluation.evaluate_features(
        features["train"],
        study_data.train.own_labels,
        features["test"],
        study_data.test.own_labels,
        **validation,
        probe=probe,
    )
    prefix = "validation_"
    return {
        "validation": {
            name.removeprefix(prefix): value
            for name, value in measured.items()
            if name.startswith(prefix)
        },
        "test": {
            name: value
            for name, value in measured.items()
            if not name.startswith(prefix)
        },
    }


def _geometry(features):
    """What can be said of features without labels."""
    return {
        "uniformity": evaluation.uniformity(features),
        "effective_rank": evaluation.effective_rank(features),
        "spread": evaluation.spread(features),
        "collapsed": evaluation.collapsed(features),
    }
