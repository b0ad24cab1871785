"""Trains every method on the backend of KERAS_BACKEND, and keeps the result.

    KERAS_BACKEND=jax python -m tests.backends.train_on_backend FOLDER

TensorFlow comes first: it makes the models, `FOLDER/start_NAME.keras`, from
which every backend begins. Each writes what it trained, `BACKEND_NAME.keras`,
and `BACKEND.npz`: losses, weights, features, and the features that it gets
from what those trained that came before it.
"""

import pathlib
import sys
import warnings

import keras
import numpy as np
from keras import ops
from PIL import Image

from keras_contrastive import data
from keras_contrastive import encoders
from keras_contrastive import layers
from keras_contrastive import models
from keras_contrastive import optimizers
from keras_contrastive import views
from keras_contrastive.models.backend_step import BACKENDS
from keras_contrastive.models.backend_step import backend_step
from tests.backends.losses_on_backend import values_and_gradients
from tests.small_methods import BATCH_SIZE
from tests.small_methods import IMAGES
from tests.small_methods import LABELS
from tests.small_methods import METHODS
from tests.small_methods import method
from tests.small_methods import splits

POLICIES = ("simclr", "moco_v1", "moco_v2", "graded_3")
IDS = np.arange(len(IMAGES), dtype="int32") % 4


def by_ids(name, **arguments):
    """A method whose statistics and views go by the id of each image."""
    normalization = layers.SplitBatchNormalization(
        4, "ids", split_affine=True, split_statistics=True
    )
    return method(
        name, normalization, views=views.policies(POLICIES), **arguments
    )


# What backends may do in ways of their own, beside the methods themselves.
VARIANTS = {
    "simclr_views": method("SimCLR", "batch", projector="mlp", views="simclr"),
    "simclr_ids": by_ids("SimCLR"),
    "simclr_renorm": method("SimCLR", "batch_renorm"),
    "simclr_schedule": method(
        "SimCLR", temperature=optimizers.CosineSchedule(0.5, 5, final=0.1)
    ),
    "moco_views": method(
        "MoCo", splits(4), queue_size=24, projector="mlp", views="moco_v2"
    ),
    "moco_eman": method(
        "MoCo",
        queue_size=24,
        eman=True,
        momentum=optimizers.CosineSchedule(0.9, 5, final=1.0),
    ),
    "simclr_lars": method("SimCLR"),
    "simclr_decay": method("SimCLR"),
    "siamese_discriminator": method("Siamese", stage="discriminator"),
    "resnet": lambda: models.SimCLR(
        encoders.resnet18(input_shape=(8, 8, 3)), views="weak"
    ),
}
ALL = {**METHODS, **VARIANTS}
FALLING = optimizers.CosineSchedule(0.5, 5, warmup=1)
OPTIMIZERS = {
    "simclr_lars": lambda: optimizers.LARS(FALLING, weight_decay=1e-3),
    "simclr_decay": lambda: optimizers.SGD(FALLING, 0.9, weight_decay=1e-2),
    # Of its many activations some are so near to zero that the last bit
    # decides on their gradient; losses and statistics do not know.
    "resnet": lambda: keras.optimizers.SGD(0.0),
}
ROUTED = ("simclr_ids",)
# Trained once more on images that are on the device, and, where a backend
# can, several steps a call.
PLACED = ("simclr", "moco", "simclr_ids")
HALVES = ("mixed_bfloat16", "mixed_float16")


def train(folder, name):
    """Figures, weights and features of an epoch from a saved model."""
    # To trace a step takes TensorFlow longer than to run five.
    backend = keras.backend.backend()
    model = loaded(folder, name, run_eagerly=backend == "tensorflow")
    batches, losses = batches_for(name), Losses()
    history = model.fit(batches, verbose=0, callbacks=[losses]).history
    evaluated = model.evaluate(batches, verbose=0)
    model.save(folder / f"{backend}_{name}.keras")
    return {
        "losses": losses.found,
        "evaluated": evaluated,
        "features": model.predict(IMAGES, verbose=0),
        **read(folder, name),
        **{f"figure/{name}": value[0] for name, value in history.items()},
        **{f"weight/{n}": w for n, w in enumerate(model.get_weights())},
    }


def read(folder, name):
    """Features by the files of the other backends that there are by now."""
    paths = {
        other: folder / f"{other}_{name}.keras"
        for other in BACKENDS
        if other != keras.backend.backend()
    }
    return {
        f"read/{other}": ops.convert_to_numpy(
            keras.saving.load_model(path)(IMAGES)
        )
        for other, path in paths.items()
        if path.exists()
    }


def train_placed(folder, name):
    """Losses and weights of the same steps, from images on the device."""
    several = 1 if keras.backend.backend() == "torch" else 3
    # On a processor JAX would run them one by one.
    backend_step().has_accelerator = lambda: True
    model = loaded(folder, name, steps_per_execution=several)
    fitted = model.fit(batches_for(name), verbose=0, data_on_device=True)
    assert set(model.columns_on_device) >= {"images", "labels"}
    weights = {f"weight/{n}": w for n, w in enumerate(model.get_weights())}
    return {"losses": fitted.history["loss"], **weights}


def train_half(precision):
    """Losses in half precision, and how precise what lasts is."""
    keras.config.set_dtype_policy(precision)
    keras.utils.set_random_seed(0)
    model = ALL["moco_views"]()
    model.compile(optimizer=plain_sgd())
    losses = model.fit(IMAGES, batch_size=8, epochs=2, verbose=0).history
    keras.config.set_dtype_policy("float32")
    lasting = [*model.variables, *model.optimizer.variables]
    kinds = {each.dtype for each in lasting if "float" in each.dtype}
    return {
        "losses": losses["loss"],
        "kinds": sorted(kinds),
        "features": model.predict(IMAGES, verbose=0).astype("float32"),
    }


def loaded(folder, name, **options):
    """A model of the start, compiled."""
    model = keras.saving.load_model(folder / f"start_{name}.keras")
    optimizer = OPTIMIZERS.get(name, plain_sgd)()
    model.compile(optimizer=optimizer, **options)
    return model


def plain_sgd():
    """Adam would make steps of the rounding noise in zero gradients."""
    return keras.optimizers.SGD(0.1, momentum=0.9)


def batches_for(name):
    """Batches of the images, with ids where a method goes by them."""
    ids = {"split_ids": IDS, "policy_ids": IDS} if name in ROUTED else {}
    return data.batches(IMAGES, BATCH_SIZE, labels=LABELS, **ids)


class Losses(keras.callbacks.Callback):
    """The mean loss up to each step."""

    def __init__(self):
        super().__init__()
        self.found = []

    def on_train_batch_end(self, batch, logs=None):
        self.found.append(float(logs["loss"]))


def drawn(name):
    """A policy's views of two steps."""
    policy = views.policy(name)
    both = [policy(IMAGES, seed=3, step=step, view=1) for step in (0, 7)]
    return np.stack([ops.convert_to_numpy(each) for each in both])


def loaded_images(folder):
    """Images of sources that need no TensorFlow, by the name of the source."""
    pictures = folder / f"pictures_{keras.backend.backend()}"
    pictures.mkdir()
    for number, image in enumerate(IMAGES):
        Image.fromarray(image).save(pictures / f"{number:02d}.png")
    return {
        "digits": data.load("digits").train.images[:20],
        "folder": data.load(f"folder:{pictures}", image_size=8).train.images,
    }


def start_all(folder):
    """Saves the models that every backend begins with."""
    for name, build in ALL.items():
        keras.utils.set_random_seed(0)
        build().save(folder / f"start_{name}.keras")


def main():
    """Trains all there is on this backend."""
    warnings.simplefilter("ignore")
    folder, backend = pathlib.Path(sys.argv[1]), keras.backend.backend()
    if backend == "tensorflow":
        start_all(folder)
    found = {f"views/{name}": drawn(name) for name in POLICIES}
    for name, images in loaded_images(folder).items():
        found[f"source/{name}"] = np.asarray(images)
    runs = {name: train(folder, name) for name in ALL}
    runs.update(
        {f"{name}_placed": train_placed(folder, name) for name in PLACED}
    )
    runs.update({precision: train_half(precision) for precision in HALVES})
    for name, values in runs.items():
        found.update({f"{name}/{what}": each for what, each in values.items()})
    for name, values in values_and_gradients().items():
        found[f"loss_{name}"] = values
    np.savez(folder / f"{backend}.npz", **found)


if __name__ == "__main__":
    main()
