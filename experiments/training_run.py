"""One run: trains a model, evaluates it, exports it, records all of it."""

import sys
import time

import keras
import numpy as np

from experiments import build_model
from experiments import devices
from experiments import long_tail_figures
from experiments import pictures
from experiments import run_evaluation
from experiments import run_folder
from experiments import script
from experiments import training_flags
from experiments import training_stages
from experiments.run_callbacks import HeedInterrupts
from experiments.run_callbacks import RunLog
from experiments.run_callbacks import Stopwatch
from experiments.tensorboard_log import TensorBoardLog
from keras_contrastive import callbacks
from keras_contrastive import export
from keras_contrastive import models
from keras_contrastive import views

# Enough to see an epoch's progress by, little enough to cost seconds.
MONITORED_BANK = 5000
MONITORED_QUERIES = 1000
SHEET_IMAGES = 10


def run(model, batches, study_data, values, folder, record):
    """Trains and evaluates a model, or goes on where it was interrupted.

    Args:
        model: ContrastiveModel, not compiled.
        batches: `data.Batches` to train on.
        study_data: StudyData.
        values: `flags.FLAGS`, parsed.
        folder: RunFolder.
        record: dict, what tells this run from others, for `run.json`; with
            its `seed` and its `flags`.
    """
    began = time.process_time()
    folder.start(
        **record,
        backend=keras.backend.backend(),
        dataset=study_data.summary(),
        batch_size=batches.batch_size,
        parameters=model.count_params(),
        model=_numbers(model),
        **devices.describe(),
    )
    watch = _train(model, batches, study_data, values, folder, record["flags"])
    start = time.perf_counter()
    results = run_evaluation.evaluate(model, study_data, folder, record["seed"])
    if len(study_data.train) < len(study_data.balanced):
        results["long_tail"] = long_tail_figures.measure(model, study_data)
    folder.write("results.json", results)
    _export(model, study_data, folder)
    folder.update(
        status="finished",
        finished=run_folder.now(),
        images_per_second=watch.images_per_second,
        seconds={
            "training": watch.total,
            "evaluation": time.perf_counter() - start,
            # What a busy machine takes from the clock is not in these.
            "processors": time.process_time() - began,
        },
        peak_memory_gib=run_folder.peak_memory_gib(),
    )


def _train(model, batches, study_data, values, folder, flags):
    """All stages, from where the run stands; returns the last's stopwatch."""
    rate = training_flags.value_of(values, "learning_rate")
    initial_epoch = None
    done = devices.agreed(folder.epochs())
    for stage in training_stages.left(flags, done):
        if stage.name:
            model.stage = stage.name
        steps = (stage.end - stage.begin) * len(batches)
        build_model.compile_model(model, values, rate, steps)
        devices.build_optimizer(model)
        if initial_epoch is None:
            # A checkpoint holds the optimizer of its own stage.
            initial_epoch = devices.resume(folder, model)
        watch = _fit(
            model, batches, stage.end, initial_epoch, study_data, values, folder
        )
        initial_epoch = stage.end
    return watch


def _fit(model, batches, epochs, initial_epoch, study_data, values, folder):
    some = study_data.train.sample(SHEET_IMAGES)
    policy = model.policies[0]
    num_policies = len(getattr(policy, "policies", [policy]))
    sheet = views.contact_sheet(
        policy,
        some.load(),
        seed=model.seed,
        policy_ids=np.arange(len(some), dtype="int32") % num_policies,
    )
    pictures.draw_views(sheet, folder / "views.png")
    images_per_epoch = len(batches) * len(batches[0]["positions"])
    log = RunLog(folder, initial_epoch, values.checkpoint_every)
    watch = Stopwatch(images_per_epoch, log.records)
    model.fit(
        batches,
        epochs=epochs,
        initial_epoch=initial_epoch,
        callbacks=[
            watch,
            *_monitors(model, study_data, values),
            *_tensorboard(folder / "tensorboard", sheet),
            log,
            HeedInterrupts(),
        ],
        verbose=verbosity(),
    )
    pictures.draw_curves(log.records, folder / "curves.png")
    return watch


def verbosity():
    """A bar where someone watches, a line an epoch in a log.

    Returns:
        int, as `fit` takes it; 0 for workers that are not the chief.
    """
    if not devices.is_chief():
        return 0
    return 1 if sys.stdout.isatty() else 2


def _tensorboard(log_dir, sheet):
    try:
        return [TensorBoardLog(log_dir, sheet)]
    except ImportError as error:
        script.say(f"No TensorBoard logs, for tensorboard is missing: {error}")
        return []


def _monitors(model, study_data, values):
    every = values.monitor_every
    if not every or isinstance(model, models.Classifier):
        # A classifier's own accuracy is in the logs.
        return []
    bank = study_data.bank.sample(MONITORED_BANK)
    queries = study_data.validation.sample(MONITORED_QUERIES)
    collapse = callbacks.CollapseMonitor(queries.load(), every=every)
    if study_data.train.labels is None:
        return [collapse]
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
        collapse,
    ]


def _export(model, study_data, folder):
    """Saves model and encoder, and makes sure that the encoder is the same."""
    model.save(folder / "model.keras")
    path = folder / "encoder.keras"
    export.encoder(model).save(path)
    images = _as_bytes(study_data.test.sample(64).load())
    loaded = keras.saving.load_model(path).predict(images, verbose=0)
    trained = run_evaluation.feature_model(model)
    expected = trained.predict(images, verbose=0)
    if not np.isfinite(loaded).all():
        raise run_evaluation.Diverged
    difference = float(np.max(np.abs(loaded - expected)))
    scale = float(np.max(np.abs(expected)))
    close = 1e-3 if keras.config.dtype_policy().name == "float32" else 3e-2
    bound = close * max(scale, 1e-3)
    if difference > bound:
        raise RuntimeError(
            f"The exported encoder {path} differs from the trained one by "
            f"{difference:.2g} on features up to {scale:.2g}, at most "
            f"{bound:.2g} is expected; {folder / 'model.keras'} is the model "
            "as it was trained. Please report this."
        )


def _as_bytes(images):
    if images.dtype == np.uint8:
        return images
    return np.round(255 * np.asarray(images)).astype("uint8")


def _numbers(model):
    """A model's arguments as it has them, whether asked for or not."""
    return {
        name: value
        for name, value in model.get_config().items()
        if isinstance(value, (bool, int, float, str))
    }
