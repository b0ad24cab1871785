"""One processor as several devices, to try out what is meant for many."""

import keras


def logical_cpus(count):
    """Makes TensorFlow or JAX take the processor for several devices.

    To try out on one machine what is meant for many; nothing gets faster by
    it. To be called before the backend computes anything.

    Args:
        count: int >= 1.

    Returns:
        List of the devices' names, for `strategy("mirrored", devices=...)`
        on TensorFlow and `strategy("data_parallel", devices=...)` on JAX.

    Raises:
        ValueError: for a number below 1, or a backend that cannot.
        RuntimeError: if the backend is at work already.
    """
    if count < 1:
        raise ValueError(f"`count` must be at least 1, received {count}.")
    backend = keras.backend.backend()
    if backend not in _BACKENDS:
        raise ValueError(
            "`logical_cpus` needs the backend tensorflow or jax, received "
            f"{backend}; set KERAS_BACKEND."
        )
    title, kind, split = _BACKENDS[backend]
    try:
        split(count)
    except RuntimeError as error:
        raise RuntimeError(
            f"`logical_cpus` must be called before {title} computes anything, "
            "and it has."
        ) from error
    return [f"{kind}:{index}" for index in range(count)]


def _split_tensorflow(count):
    import tensorflow as tf

    (processor,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(
        processor, [tf.config.LogicalDeviceConfiguration()] * count
    )


def _split_jax(count):
    import jax

    jax.config.update("jax_num_cpu_devices", count)


# What a backend is called, how it writes a device, and what splits it.
_BACKENDS = {
    "tensorflow": ("TensorFlow", "CPU", _split_tensorflow),
    "jax": ("JAX", "cpu", _split_jax),
}
