"""One run of fine-tuning: a start, a fraction of the labels, and a seed."""

import pathlib

import keras
import numpy as np

from experiments import build_model
from experiments import command_line
from experiments import devices
from experiments import finetune_flags
from experiments import run_evaluation
from experiments import run_folder
from experiments import training_flags
from experiments import training_run
from experiments.epochs import repeated
from experiments.run_callbacks import HeedInterrupts
from experiments.run_callbacks import RunLog
from experiments.run_callbacks import Stopwatch
from keras_contrastive import data
from keras_contrastive import export
from keras_contrastive import layers
from keras_contrastive import models
from keras_contrastive import views

# A new head may learn fast; what was pretrained should not be overrun.
LEARNING_RATES = {"head": 1e-2, "all": 1e-3}


def pretrained_encoder(values, study_data):
    """The encoder of the run of pretraining that the flags name.

    Args:
        values: `flags.FLAGS`, parsed.
        study_data: StudyData that it shall classify.

    Returns:
        keras.Model from images in [0, 1] to features, normalization folded.

    Raises:
        ValueError: for images of another shape, or without labels.
    """
    if study_data.train.labels is None:
        raise ValueError(
            f"--dataset={study_data.name} has no labels to learn from; name "
            "another, or images in class folders."
        )
    path = pathlib.Path(values.run).expanduser() / "model.keras"
    model = keras.saving.load_model(path)
    encoder = model.encoder
    wanted = tuple(encoder.input_shape[1:])
    found = tuple(study_data.train.images.shape[1:])
    if wanted != found:
        raise ValueError(
            f"--run={values.run} was trained on images of the shape "
            f"{wanted}, and --dataset={study_data.name} has {found}; choose "
            "the dataset of the run."
        )
    if any(map(_splits, encoder._flatten_layers())):
        # New images belong to no split, and few of them make no batch for it.
        encoder = layers.fold_split_batch_normalization(
            encoder, model.inference_split
        )
    return encoder


def run(encoder, start, fraction, part, seed, study_data, values, folder):
    """Trains and evaluates a classifier, or goes on where it stopped.

    Args:
        encoder: keras.Model, the pretrained one.
        start: str, what the encoder is called; from `"scratch"` the same
            network begins with new weights.
        fraction: float, of the labels.
        part: str, `"head"` or `"all"`.
        seed: int.
        study_data: StudyData.
        values: `flags.FLAGS`, parsed.
        folder: RunFolder.
    """
    keras.utils.set_random_seed(seed)
    keras.config.set_dtype_policy(values.precision)
    with command_line.refusals():
        batches, used = _batches(fraction, seed, study_data, values)
    model = _classifier(encoder, start, part, seed, study_data, values)
    epochs = training_flags.value_of(values, "epochs")
    rate = values["learning_rate"].value or LEARNING_RATES[part]
    build_model.compile_model(model, values, rate, epochs * len(batches))
    folder.start(
        start=start,
        fraction=fraction,
        train=part,
        seed=seed,
        labels=used,
        learning_rate=rate,
        flags=finetune_flags.as_dict(values, start),
        batch_size=batches.batch_size,
        backend=keras.backend.backend(),
        dataset=study_data.summary(),
        **devices.describe(),
    )
    watch = _fit(model, batches, epochs, folder, values.checkpoint_every)
    folder.write("results.json", _accuracies(model, study_data))
    model.save(folder / "model.keras")
    export.encoder(model).save(folder / "encoder.keras")
    folder.update(
        status="finished",
        finished=run_folder.now(),
        images_per_second=watch.images_per_second,
        seconds={"training": watch.total},
    )


def _classifier(encoder, start, part, seed, study_data, values):
    if start == finetune_flags.SCRATCH:
        config = keras.saving.serialize_keras_object(encoder)
        encoder = keras.saving.deserialize_keras_object(config)
    if any(map(_normalizes_by_batch, encoder._flatten_layers())):
        # On one device, too: checkpoints name layers by their class, and a
        # run may go on on other devices.
        encoder = layers.convert_to_split_batch_normalization(
            encoder,
            1,
            "contiguous",
            synchronized=devices.synchronizes(values),
        )
    with devices.scope():
        return models.Classifier(
            encoder,
            study_data.num_classes,
            fine_tune=part == "all",
            head="standardized",
            views=views.policy(values.policy),
            seed=seed,
        )


def _normalizes_by_batch(layer):
    return isinstance(layer, keras.layers.BatchNormalization)


def _splits(layer):
    return isinstance(layer, layers.SplitBatchNormalization)


def _batches(fraction, seed, study_data, values):
    """As many steps an epoch as all labels make; and how many are used."""
    train = study_data.train
    batch_size = training_flags.value_of(values, "batch_size")
    steps = len(train) // batch_size
    chosen = train.indices
    if fraction < 1:
        shares = (fraction, 1 - fraction)
        kept = data.split(train.own_labels, shares, seed=seed)[0]
        chosen = train.indices[kept]
    size = devices.shareable(min(batch_size, len(chosen)))
    batches = repeated(train.images, chosen, size, steps, seed, train.labels)
    return batches, len(chosen)


def _fit(model, batches, epochs, folder, checkpoint_every):
    initial_epoch = devices.resume(folder, model)
    log = RunLog(folder, initial_epoch, checkpoint_every)
    watch = Stopwatch(batches.num_images, log.records)
    model.fit(
        batches,
        epochs=epochs,
        initial_epoch=initial_epoch,
        callbacks=[watch, log, HeedInterrupts()],
        verbose=training_run.verbosity(),
    )
    return watch


def _accuracies(model, study_data):
    accuracies = {}
    seen = study_data.validation_is_seen
    for name in ("test",) if seen else ("validation", "test"):
        part = getattr(study_data, name)
        probabilities = model.predict(part.batches(), verbose=0)
        if not np.isfinite(probabilities).all():
            raise run_evaluation.Diverged
        right = np.argmax(probabilities, axis=1) == part.own_labels
        accuracies[name] = {"accuracy": float(np.mean(right))}
    return accuracies
