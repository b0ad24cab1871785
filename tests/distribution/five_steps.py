"""Five steps of a method on devices, and whether they are those of one."""

import contextlib

import keras
import numpy as np

from keras_contrastive import callbacks
from keras_contrastive import data
from tests.differences import difference
from tests.small_methods import BATCH_SIZE
from tests.small_methods import IMAGES
from tests.small_methods import LABELS

# How far float32 may be off, relative to the largest value.
CLOSE = {
    "loss": 1e-5,
    # Alignment and uniformity are differences of nearly equal numbers.
    "figure": 1e-4,
    "gradient": 1e-5,
    "weight": 1e-4,
    "features": 1e-4,
    "predicted": 1e-4,
    "evaluated": 1e-4,
}


class FirstGradients(keras.callbacks.Callback):
    """What the optimizer made of the first step's gradients."""

    def on_train_batch_end(self, batch, logs=None):
        if batch == 0:
            if keras.backend.backend() == "jax":
                # Until then JAX's Keras has it beside the variables.
                self.model.jax_state_sync()
            variables = self.model.optimizer.variables[2:]
            self.found = [np.asarray(each) for each in variables]


def train(build, strategy, path, whole):
    """The model after five steps of SGD with momentum; and its figures.

    Adam would make steps of the rounding noise in zero gradients. Figures are
    those of training, first gradients, weights, and features before and after
    saving; those of evaluation, too, where all is looked at.
    """
    model = compiled(build, strategy)
    batches = data.batches(IMAGES, BATCH_SIZE, labels=LABELS)
    gradients = FirstGradients()
    options = {"callbacks": [gradients]}
    if whole:
        options["callbacks"].append(
            callbacks.KNNMonitor(IMAGES, LABELS, IMAGES, LABELS, k=3)
        )
        options["validation_data"] = (IMAGES, LABELS)
    history = model.fit(batches, verbose=0, **options).history
    features = np.asarray(model(IMAGES))
    model.save(path)
    found = {
        **{f"figure/{name}": value[0] for name, value in history.items()},
        **{f"gradient/{n}": each for n, each in enumerate(gradients.found)},
        **{f"weight/{n}": w for n, w in enumerate(model.get_weights())},
        "features": features,
        "loaded": np.asarray(keras.saving.load_model(path)(IMAGES)),
    }
    if whole:
        # Of 37 images batches of 16 and of 8 leave a rest of 5.
        few, their = IMAGES[:37], LABELS[:37]
        found["predicted"] = model.predict(few, batch_size=16, verbose=0)
        found["evaluated"] = model.evaluate(few, their, 8, verbose=0)
    return model, found


def compiled(build, strategy, **options):
    """A model made and compiled in a strategy's scope."""
    scope = strategy.scope() if strategy else contextlib.nullcontext()
    with scope:
        keras.utils.set_random_seed(0)
        model = build()
        model.compile(
            optimizer=keras.optimizers.SGD(0.1, momentum=0.9),
            # TensorFlow takes longer to compile five steps than to run them.
            jit_compile=keras.backend.backend() == "jax",
            **options,
        )
    return model


def check_same(one, several, name):
    """What was trained by a name is the same, to float tolerance."""
    keys = [key for key in one if key.startswith(f"{name}/")]
    assert any(key.startswith(f"{name}/gradient/") for key in keys)
    for key in keys:
        what = "loss" if key.endswith("loss") else key.split("/")[1]
        if what in CLOSE:
            assert difference(one[key], several[key]) < CLOSE[what], key


def flat(found):
    """What came of several names, in one dict that can be saved."""
    return {
        f"{name}/{what}": value
        for name, values in found.items()
        for what, value in values.items()
    }
