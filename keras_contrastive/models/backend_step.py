"""What differs by backend, the gradient step above all: one file each."""

import importlib

import keras

BACKENDS = ("tensorflow", "jax", "torch")


def backend_step():
    """The module of the backend in use, `<backend>_step.py`.

    Returns:
        Module with `train_step`, `test_step`, `draw_view`, `input_gradient`,
        `has_accelerator`, `put_on_device` and `take_rows`; `train_function`
        too, where Keras's own does not do.

    Raises:
        ValueError: for a backend that cannot train.
    """
    backend = keras.backend.backend()
    if backend not in BACKENDS:
        raise ValueError(
            f"Training needs one of the backends {', '.join(BACKENDS)}, "
            f"received {backend!r}; set KERAS_BACKEND before keras is "
            "imported."
        )
    return importlib.import_module(f"keras_contrastive.models.{backend}_step")
