"""Strategies by name: those of tf.distribute, and that of JAX."""

import functools

import keras

# After so long another worker counts as lost.
SILENCE_SECONDS = 30

# By the backend that they need.
STRATEGIES = {
    "default": "tensorflow",
    "one_device": "tensorflow",
    "mirrored": "tensorflow",
    "multi_worker": "tensorflow",
    "tpu": "tensorflow",
    "data_parallel": "jax",
}


def strategy(name="default", devices=None, workers=None, task_index=None):
    """The strategy of a name: of tf.distribute, or on JAX of Keras.

    Build and compile a model in its scope, and train it as ever: `fit`,
    `evaluate` and `predict` then share the batches out, and N replicas train
    as one would.

    On TensorFlow:

    | name | replicas |
    |---|---|
    | `"default"` | one: what TensorFlow does by itself |
    | `"one_device"` | one, on the device that is named |
    | `"mirrored"` | one on each device of this machine |
    | `"multi_worker"` | one on each GPU of each machine, or on its CPU |
    | `"tpu"` | one on each core of a TPU; never tried, for want of one |

    On JAX:

    | name | replicas |
    |---|---|
    | `"data_parallel"` | one on each device of this machine |

    Args:
        name: str, as above.
        devices: list of str, such as `["GPU:0", "GPU:1"]`: of `"mirrored"`
            and `"data_parallel"` which devices, by default all GPUs; of
            `"one_device"` the one; of `"tpu"` the TPU's name or address. Not
            for the others.
        workers: list of str, `"host:port"` of all workers, the same list on
            each; by default those of the environment variable TF_CONFIG.
            Only for `"multi_worker"`.
        task_index: int, which of the workers this one is; 0 is the chief.
            Goes with `workers`.

    Returns:
        tf.distribute.Strategy, or keras.distribution.DataParallel.

    Raises:
        ValueError: for an unknown name, an argument that another name takes,
            devices that there are not, or a backend that lacks it.

    Example:

    ```python
    strategy = distribution.strategy("mirrored")
    with strategy.scope():
        model = models.SimCLR(encoders.two_conv(normalization="synchronized"))
        model.compile(optimizer=keras.optimizers.Adam(1e-3))
    model.fit(images, batch_size=256 * strategy.num_replicas_in_sync)
    ```
    """
    if name not in STRATEGIES:
        raise ValueError(
            f"`name` must be one of {', '.join(STRATEGIES)}, received {name!r}."
        )
    _check_backend(name)
    _check_arguments(name, devices, workers, task_index)
    return {
        "default": _default,
        "one_device": _one_device,
        "mirrored": _mirrored,
        "multi_worker": _multi_worker,
        "tpu": _tpu,
        "data_parallel": _data_parallel,
    }[name](devices, workers, task_index)


def _check_backend(name):
    needed, found = STRATEGIES[name], keras.backend.backend()
    if found == needed:
        return
    others = [each for each, by in STRATEGIES.items() if by == found]
    instead = f", or take {' or '.join(others)}" if others else ""
    raise ValueError(
        f"The strategy {name!r} needs the backend {needed}, received {found}; "
        f"set KERAS_BACKEND={needed}{instead}."
    )


def _check_arguments(name, devices, workers, task_index):
    """Refuses what a strategy would silently leave aside."""
    if devices and name in ("default", "multi_worker"):
        raise ValueError(
            "`devices` goes with 'one_device', 'mirrored', 'tpu' or "
            f"'data_parallel', received {list(devices)} with {name!r}; a "
            "worker takes all GPUs that CUDA_VISIBLE_DEVICES leaves it."
        )
    if name == "one_device" and len(devices or ()) != 1:
        raise ValueError(
            "`devices` must name one device for 'one_device', such as "
            f"['GPU:0'], received {devices}."
        )
    if name != "multi_worker" and (workers or task_index is not None):
        raise ValueError(
            "`workers` and `task_index` go with 'multi_worker', received "
            f"{workers} and {task_index} with {name!r}."
        )
    if (task_index is None) != (not workers):
        raise ValueError(
            "`workers` and `task_index` go together, received "
            f"{workers} and {task_index}; leave out both to go by TF_CONFIG."
        )
    if workers and not 0 <= task_index < len(workers):
        raise ValueError(
            f"`task_index` must be from 0 to {len(workers) - 1} for "
            f"{len(workers)} workers, received {task_index}."
        )


def _default(devices, workers, task_index):
    import tensorflow as tf

    return tf.distribute.get_strategy()


def _one_device(devices, workers, task_index):
    import tensorflow as tf

    _check_devices(devices, _devices_of_tensorflow())
    return tf.distribute.OneDeviceStrategy(devices[0])


def _mirrored(devices, workers, task_index):
    import tensorflow as tf

    _check_devices(devices or (), _devices_of_tensorflow())
    return tf.distribute.MirroredStrategy(devices)


def _multi_worker(devices, workers, task_index):
    import tensorflow as tf

    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    if workers:
        resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
            tf.train.ClusterSpec({"worker": list(workers)}),
            task_type="worker",
            task_id=task_index,
        )
    elif not resolver.cluster_spec().as_dict():
        raise ValueError(
            "'multi_worker' goes by `workers` and `task_index` or by the "
            "environment variable TF_CONFIG, and received none of them; "
            "pass workers=['host_0:2222', 'host_1:2222'] to each, and its "
            "place among them as task_index."
        )
    _allow_silence()
    try:
        return tf.distribute.MultiWorkerMirroredStrategy(
            cluster_resolver=resolver
        )
    except tf.errors.OpError as error:
        raise ValueError(
            f"The worker {resolver.task_type} {resolver.task_id} of "
            f"{resolver.cluster_spec().as_dict()} could not be started: "
            f"{error.message.splitlines()[0]}. Its address must be "
            "this machine's, host:port, and the port free."
        ) from error


def _allow_silence():
    """Gives a worker longer than TensorFlow's ten seconds to be heard of.

    On a machine with more to do than processors a living one misses them.
    """
    from tensorflow.python.eager import context

    its = context.context()
    its.configure_coordination_service = functools.partial(
        its.configure_coordination_service,
        heartbeat_timeout_in_ms=1000 * SILENCE_SECONDS,
    )


def _tpu(devices, workers, task_index):
    import tensorflow as tf

    resolver = tf.distribute.cluster_resolver.TPUClusterResolver(
        tpu=devices[0] if devices else ""
    )
    tf.config.experimental_connect_to_cluster(resolver)
    tf.tpu.experimental.initialize_tpu_system(resolver)
    return tf.distribute.TPUStrategy(resolver)


def _data_parallel(devices, workers, task_index):
    known = keras.distribution.list_devices()
    if devices:
        devices = [each.lower() for each in devices]
        # Beside an accelerator there is the processor.
        others = set(keras.distribution.list_devices("cpu")) - set(known)
        _check_devices(devices, [*known, *sorted(others)])
    return keras.distribution.DataParallel(devices=devices or known)


def _devices_of_tensorflow():
    import tensorflow as tf

    return [
        each.name.rpartition("device:")[2]
        for each in tf.config.list_logical_devices()
    ]


def _check_devices(devices, known):
    for device in devices:
        if device.rpartition("device:")[2].lstrip("/") not in known:
            raise ValueError(
                f"`devices` must be of this machine's {', '.join(known)}, "
                f"received {device!r}."
            )
    if len(set(devices)) < len(devices):
        raise ValueError(f"`devices` names one twice: {list(devices)}.")
