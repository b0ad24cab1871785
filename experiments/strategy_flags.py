"""Flags that say on which devices and machines to train.

Imports nothing heavy: flags are checked before Keras is imported.
"""

import json
import os

from absl import flags

flags.DEFINE_enum(
    "strategy",
    "default",
    [
        "default",
        "one_device",
        "mirrored",
        "multi_worker",
        "tpu",
        "data_parallel",
    ],
    "On TensorFlow: one_device of --devices, mirrored over this machine's "
    "GPUs or --devices, multi_worker over the machines of TF_CONFIG or "
    "--cluster, or a tpu; on JAX: data_parallel over this machine's GPUs or "
    "--devices. All train to the same numbers.",
)
flags.DEFINE_list(
    "devices", None, "Devices to train on, such as GPU:0,GPU:1; all by default."
)
flags.DEFINE_list(
    "cluster",
    None,
    "host:port of every worker, the same on each, in place of TF_CONFIG.",
)
flags.DEFINE_integer(
    "task_index",
    None,
    "Which of --cluster this one is; 0, the chief, writes the output.",
    lower_bound=0,
)
flags.DEFINE_integer(
    "logical_cpus",
    None,
    "Takes the processor for so many devices, to try a strategy out without "
    "GPUs; nothing gets faster by it.",
    lower_bound=1,
)
flags.DEFINE_enum(
    "batch_norm",
    "synchronized",
    ["synchronized", "local"],
    "Whether several replicas normalize by the moments of the global batch, "
    "as one device would, or each by those of its own share; on JAX always "
    "the first.",
)
flags.DEFINE_enum(
    "candidates",
    "global",
    ["global", "local"],
    "Whether several replicas compare an image with those of the global "
    "batch, as one device would, or with those of their own share; on JAX "
    "always the first.",
)

#: What changes the numbers of a run, with its default; the others do not.
OF_A_RUN = {"batch_norm": "synchronized", "candidates": "global"}


def check(values):
    """Refuses flags that do not go together.

    Args:
        values: `flags.FLAGS`, parsed.

    Raises:
        ValueError: with a sentence that says which flags, and what to do.
    """
    name = values.strategy
    for flag, takers in (
        ("devices", ("one_device", "mirrored", "tpu", "data_parallel")),
        ("cluster", ("multi_worker",)),
        ("task_index", ("multi_worker",)),
        ("logical_cpus", ("one_device", "mirrored", "data_parallel")),
    ):
        if values[flag].present and name not in takers:
            raise ValueError(
                f"--{flag} goes with --strategy={' or '.join(takers)}, "
                f"received --strategy={name}."
            )
    _check_local(values, name)
    given = values.devices
    if given is not None and (not given or "" in given):
        raise ValueError(
            f"--devices={','.join(given)} must name devices, "
            "separated by commas, such as GPU:0,GPU:1; leave it out for all."
        )
    if name == "one_device" and len(given or ()) != 1:
        raise ValueError(
            "--strategy=one_device needs one device, such as --devices=GPU:0."
        )
    _check_workers(values)


def as_dict(values):
    """Those of these flags that change a run's numbers, if they do.

    Args:
        values: `flags.FLAGS`, parsed.

    Returns:
        Dict from names to values that are not the default.
    """
    return {
        flag: values[flag].value
        for flag, default in OF_A_RUN.items()
        if values[flag].value != default
    }


def is_chief(values):
    """Whether this process is the one that writes the output.

    Args:
        values: `flags.FLAGS`, parsed.

    Returns:
        bool, True where there is one process only.
    """
    if values.strategy != "multi_worker":
        return True
    if values.cluster:
        return values.task_index == 0
    config = _tf_config()
    task = config.get("task", {})
    has_chief = "chief" in config.get("cluster", {})
    place = (task.get("type", "worker"), int(task.get("index", 0)))
    return place == ("chief" if has_chief else "worker", 0)


def _check_local(values, name):
    """Refuses what is of a replica's own where there is no such thing."""
    for flag, default in OF_A_RUN.items():
        value = values[flag].value
        if value == default:
            continue
        if name in ("default", "one_device"):
            raise ValueError(
                f"--{flag}={value} has an effect on several replicas only, "
                f"received --strategy={name}."
            )
        if name == "data_parallel":
            raise ValueError(
                f"--{flag}={value} goes with tf.distribute, received "
                "--strategy=data_parallel: on JAX a batch is one array over "
                "all devices, and none has a share of its own."
            )


def _check_workers(values):
    if (values.cluster is None) != (values.task_index is None):
        raise ValueError(
            "--cluster and --task_index go together; leave out both to go by "
            "TF_CONFIG."
        )
    for address in values.cluster or ():
        host, _, port = address.rpartition(":")
        if not (host and port.isdecimal() and 0 < int(port) < 2**16):
            raise ValueError(
                "--cluster must be host:port of each worker, separated by "
                f"commas, received {address!r}; ports are 1 to 65535."
            )
    if values.cluster and values.task_index >= len(values.cluster):
        raise ValueError(
            f"--task_index={values.task_index} is none of the "
            f"{len(values.cluster)} workers of --cluster, which "
            "count from 0."
        )
    cluster = _tf_config().get("cluster", {})
    named = [each for places in cluster.values() for each in places]
    if values.strategy == "multi_worker" and not (named or values.cluster):
        raise ValueError(
            "--strategy=multi_worker needs the environment variable "
            "TF_CONFIG, or --cluster and --task_index; `python -m "
            "experiments.launch --workers=2 -- ...` starts two on this "
            "machine."
        )
    if values.strategy != "multi_worker" and len(named) > 1:
        raise ValueError(
            f"TF_CONFIG names {len(named)} workers, received --strategy="
            f"{values.strategy}; give --strategy=multi_worker, or unset it."
        )


def _tf_config():
    text = os.environ.get("TF_CONFIG") or "{}"
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"The environment variable TF_CONFIG is no JSON ({error}); "
            "docs/distributed.md has an example."
        ) from error
