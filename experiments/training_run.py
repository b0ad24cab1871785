"""One run: trains one setting with one seed, evaluates it, exports it."""

import sys
import time

import keras
import numpy as np

from experiments import pictures
from experiments import run_folder
from experiments import settings
from experiments import study_flags
from experiments.run_callbacks import RunLog
from experiments.run_callbacks import Stopwatch
from experiments.run_callbacks import ViewsSheet
from keras_contrastive import callbacks
from keras_contrastive import encoders
from keras_contrastive import evaluation
from keras_contrastive import export
from keras_contrastive import layers
from keras_contrastive import models
from keras_contrastive import views

# Enough to see an epoch's progress by, little enough to cost seconds.
MONITORED_BANK = 5000
MONITORED_QUERIES = 1000
PROJECTION_DIM = 128


def run(name, seed, study_data, values, folder):
    """Trains and evaluates one setting, or goes on where it was interrupted.

    Args:
        name: str, the setting's name.
        seed: int.
        study_data: StudyData.
        values: `flags.FLAGS`, parsed.
        folder: RunFolder.
    """
    began = time.process_time()
    setting = settings.SETTINGS[name]
    keras.utils.set_random_seed(seed)
    batches = settings.training_batches(
        setting,
        study_data,
        study_flags.value_of(values, "batch_size"),
        seed,
        values.subset_policies,
    )
    model = build(setting, study_data, values, seed)
    epochs = study_flags.value_of(values, "epochs")
    compile_model(model, values, epochs * len(batches))
    _record_start(folder, name, seed, setting, study_data, values, model)
    initial_epoch = folder.load_checkpoint(model)
    watch = _fit(
        model, batches, epochs, initial_epoch, study_data, values, folder
    )
    start = time.perf_counter()
    results = evaluate(model, study_data, folder, seed)
    _export(model, study_data, folder)
    folder.write("results.json", results)
    folder.update(
        status="finished",
        finished=run_folder.now(),
        images_per_second=watch.images_per_second,
        seconds={
            "training": sum(watch.seconds),
            "evaluation": time.perf_counter() - start,
            # What a busy machine takes from the clock is not in these.
            "processors": time.process_time() - began,
        },
        peak_memory_gib=run_folder.peak_memory_gib(),
    )


def build(setting, study_data, values, seed):
    """The model of a setting, before training.

    Args:
        setting: Setting.
        study_data: StudyData.
        values: `flags.FLAGS`, parsed.
        seed: int.

    Returns:
        SimCLR.
    """
    keras.config.set_dtype_policy(values.precision)
    normalization = settings.normalization(setting, values.num_subsets)
    encoder = getattr(encoders, values.encoder)(
        input_shape=study_data.train.images.shape[1:],
        normalization=normalization,
    )
    projector = None
    if values.projector != "none":
        projector = layers.projection_head(
            values.projector,
            encoder.output_shape[-1],
            output_dim=PROJECTION_DIM,
            normalization=normalization,
        )
    return models.SimCLR(
        encoder,
        projector=projector,
        views=settings.view_policy(
            setting,
            values.num_subsets,
            values.subset_policies,
            values.policy,
        ),
        temperature=study_flags.value_of(values, "temperature"),
        seed=seed,
    )


def compile_model(model, values, steps):
    """Gives a model the optimizer and the schedule that flags ask for.

    Args:
        model: keras.Model.
        values: `flags.FLAGS`, parsed.
        steps: int, updates in all.
    """
    warmup = max(1, steps // 10)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0,
        decay_steps=max(1, steps - warmup),
        warmup_target=study_flags.value_of(values, "learning_rate"),
        warmup_steps=warmup,
    )
    options = {}
    if values.optimizer == "sgd":
        options["momentum"] = 0.9
    if values.optimizer != "adam":
        options["weight_decay"] = values.weight_decay
    optimizer = {
        "adam": keras.optimizers.Adam,
        "adamw": keras.optimizers.AdamW,
        "sgd": keras.optimizers.SGD,
    }[values.optimizer]
    model.compile(optimizer=optimizer(rate, **options))


def features_and_projections(model, part):
    """What a model makes of a part's images, in inference mode.

    Args:
        model: SimCLR.
        part: study_data.Part.

    Returns:
        Tuple of float32 arrays `(count, dim)`.
    """
    features = model.predict(part.batches(), verbose=0)
    if model.projector is None:
        return features, features
    projections = model.projector.predict(features, verbose=0)
    return features, projections


def evaluate(model, study_data, folder, seed):
    """Every figure for features and projections, on validation and test.

    Args:
        model: SimCLR.
        study_data: StudyData.
        folder: RunFolder, for the picture of the embedding; or None.
        seed: int.

    Returns:
        Dict: features or projections -> validation or test -> figures.
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
        Dict: validation or test -> figures.
    """
    if study_data.test.labels is None:
        return {"validation": {}, "test": _geometry(features["test"])}
    measured = evaluation.evaluate_features(
        features["train"],
        study_data.train.own_labels,
        features["test"],
        study_data.test.own_labels,
        validation_features=features["validation"],
        validation_labels=study_data.validation.own_labels,
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


def _fit(model, batches, epochs, initial_epoch, study_data, values, folder):
    some = study_data.train.sample(values.num_subsets)
    sheet = views.contact_sheet(
        model.policies[0],
        some.load(),
        seed=model.seed,
        policy_ids=np.arange(len(some), dtype="int32"),
    )
    pictures.draw_views(sheet, folder / "views.png")
    log_dir = folder / "tensorboard"
    images_per_epoch = len(batches) * len(batches[0]["positions"])
    watch = Stopwatch(images_per_epoch)
    log = RunLog(folder, initial_epoch)
    model.fit(
        batches,
        epochs=epochs,
        initial_epoch=initial_epoch,
        callbacks=[
            watch,
            *_monitors(study_data, values),
            keras.callbacks.TensorBoard(log_dir, write_graph=False),
            ViewsSheet(sheet, log_dir),
            log,
        ],
        # A bar where someone watches, a line an epoch in a log.
        verbose=1 if sys.stdout.isatty() else 2,
    )
    pictures.draw_curves(log.records, folder / "curves.png")
    return watch


def _monitors(study_data, values):
    every = values.monitor_every
    if not every or study_data.train.labels is None:
        return []
    bank = study_data.train.sample(MONITORED_BANK)
    queries = study_data.validation.sample(MONITORED_QUERIES)
    return [
        callbacks.KNNMonitor(
            bank.load(),
            bank.own_labels,
            queries.load(),
            queries.own_labels,
            every=every,
        ),
        callbacks.ClusteringMonitor(
            queries.load(), queries.own_labels, every=every
        ),
        callbacks.CollapseMonitor(queries.load(), every=every),
    ]


def _record_start(folder, name, seed, setting, study_data, values, model):
    folder.update(
        setting=name,
        seed=seed,
        setting_description=settings.describe(
            setting, values.num_subsets, values.subset_policies, values.policy
        ),
        command=run_folder.command(),
        flags=study_flags.as_dict(values),
        commit=run_folder.commit(),
        versions=run_folder.versions(),
        machine=run_folder.machine(),
        backend=keras.backend.backend(),
        dataset=study_data.summary(),
        parameters=model.count_params(),
        started=run_folder.now(),
        finished=None,
        status="running",
    )


def _export(model, study_data, folder):
    """Saves the encoder, and makes sure that it is the one that trained."""
    path = folder / "encoder.keras"
    export.encoder(model).save(path)
    images = study_data.test.sample(64).load()
    loaded = keras.saving.load_model(path).predict(images, verbose=0)
    expected = model.predict(images, verbose=0)
    difference = float(np.max(np.abs(loaded - expected)))
    scale = float(np.max(np.abs(expected)))
    if difference > 1e-3 * max(scale, 1e-3):
        raise RuntimeError(
            f"The exported encoder {path} differs from the trained one by "
            f"{difference:.2g} on features up to {scale:.2g}."
        )
