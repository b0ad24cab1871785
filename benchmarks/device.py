"""The device that the backend in use computes on: name, memory and speed."""

import os
import time

import keras
from keras import ops

from benchmarks import measure
from keras_contrastive.models.backend_step import backend_step

# What is tried on an accelerator, whose rate grows with the matrices, and on
# a processor, and how many products are under way at once.
ACCELERATOR = (4096, 8192, 16384), 10
PROCESSOR = (512, 1024, 2048), 1

PACKAGES = {
    "tensorflow": ("tensorflow",),
    "jax": ("jax", "jaxlib"),
    "torch": ("torch",),
}


def leave_memory():
    """Has the backend take a GPU's memory bit by bit, not all of it.

    The peer's processes need some too. To be called before anything computes.
    """
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")


def machine():
    """The backend, its device, the machine and the versions, in one line.

    Returns:
        str.
    """
    backend = keras.backend.backend()
    device = _gpu()[0] if backend_step().has_accelerator() else "the processor"
    rest = measure.machine("keras", *PACKAGES[backend])
    return f"{backend} on {device}; {rest}"


def peak_memory():
    """The most bytes of memory that this process ever had.

    Returns:
        int: of the accelerator's memory, where there is one.
    """
    if backend_step().has_accelerator():
        return _gpu()[1]
    return measure.peak_memory()


def wait(tensor):
    """Returns once a tensor has been computed.

    Args:
        tensor: float tensor of any shape.
    """
    # Of large tensors only a number comes to the host.
    number = tensor[(0,) * len(tensor.shape)]
    ops.convert_to_numpy(ops.cast(number, "float32"))


def compiled(function):
    """A function as one program, where the backend compiles.

    Args:
        function: from tensors to a tensor.

    Returns:
        Callable.
    """
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return jax.jit(function)
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(function, autograph=False, jit_compile=True)
    return function


def matrix_rate(dtype, repeats=5):
    """How fast the backend's own product of large square matrices is.

    Of random numbers: a GPU is faster with zeros.

    Args:
        dtype: str, of the matrices.
        repeats: int, measurements of each size.

    Returns:
        Floating-point operations a second, the most of all measurements.
    """
    accelerated = backend_step().has_accelerator()
    sizes, products = ACCELERATOR if accelerated else PROCESSOR
    best = 0.0
    for size in sizes:
        matrix = ops.cast(keras.random.normal((size, size)), dtype)
        wait(ops.matmul(matrix, matrix))
        for _ in range(repeats):
            start = time.perf_counter()
            for _ in range(products):
                product = ops.matmul(matrix, matrix)
            wait(product)
            seconds = time.perf_counter() - start
            best = max(best, 2 * size**3 * products / seconds)
    return best


def _gpu():
    """Name of the accelerator, and the most bytes held of its memory."""
    return {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[
        keras.backend.backend()
    ]()


def _tensorflow():
    import tensorflow as tf

    gpu = tf.config.list_physical_devices("GPU")[0]
    details = tf.config.experimental.get_device_details(gpu)
    memory = tf.config.experimental.get_memory_info("GPU:0")
    return details.get("device_name", gpu.name), memory["peak"]


def _jax():
    import jax

    device = jax.local_devices()[0]
    return device.device_kind, device.memory_stats()["peak_bytes_in_use"]


def _torch():
    import torch

    name = torch.cuda.get_device_name()
    return name, torch.cuda.max_memory_allocated()
