"""One run of pretraining: a method and a seed."""

import keras

from experiments import build_model
from experiments import command_line
from experiments import devices
from experiments import pretrain_flags
from experiments import training_flags
from experiments import training_run
from experiments.methods import METHODS
from keras_contrastive import data
from keras_contrastive import layers
from keras_contrastive import views


def run(name, seed, study_data, values, folder):
    """Trains and evaluates a method, or goes on where it was interrupted.

    Args:
        name: str, the method's name.
        seed: int.
        study_data: StudyData.
        values: `flags.FLAGS`, parsed.
        folder: RunFolder.
    """
    keras.utils.set_random_seed(seed)
    with command_line.refusals():
        with devices.scope():
            model = _model(name, seed, study_data, values)
        batches = _batches(name, seed, study_data, values)
        model.check_batches(batches)
    record = {
        "method": name,
        "seed": seed,
        "description": METHODS[name].words,
        "flags": pretrain_flags.as_dict(values, name),
    }
    training_run.run(model, batches, study_data, values, folder, record)


def _model(name, seed, study_data, values):
    return build_model.build(
        name,
        values,
        study_data,
        _policy(values),
        seed,
        normalization=_normalization(values),
    )


def _policy(values):
    blur = {} if values.blur is None else {"blur": values.blur}
    return views.policy(values.policy, noise=values.noise, **blur)


def _normalization(values):
    if values.bn_splits == 1:
        return "batch"
    # Keys are shuffled, so it does not matter which rows share a split.
    return layers.SplitBatchNormalization(
        values.bn_splits,
        "contiguous",
        synchronized=values.batch_norm == "synchronized",
    )


def _batches(name, seed, study_data, values):
    train = study_data.train
    by_class = METHODS[name].labels and values.images_per_class
    options = {}
    if by_class:
        options = {
            "order": "classes",
            "images_per_class": values.images_per_class,
        }
    return data.batches(
        train.images,
        training_flags.value_of(values, "batch_size"),
        labels=train.labels if METHODS[name].labels else None,
        indices=train.indices,
        seed=seed,
        **options,
    )
