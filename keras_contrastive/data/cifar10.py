"""CIFAR-10 through tensorflow-datasets.

Reference: Krizhevsky 2009, "Learning Multiple Layers of Features from Tiny
Images", https://www.cs.toronto.edu/~kriz/cifar.html
"""

import http.client
import importlib.util
import os
import pathlib
import re
import threading
import urllib.request

import numpy as np

from keras_contrastive.data.dataset import Dataset
from keras_contrastive.data.dataset import Split

_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
_PROBE_SECONDS = 5
_REMEDIES = (
    "pass the directory of a prepared copy as `data_dir`, copy one to there, "
    "or use 'digits', which needs no download."
)

_NOT_IMPORTED = (
    "'cifar10' is read by tensorflow-datasets, which cannot be imported here "
    "({}): install tensorflow and tensorflow-datasets, or use 'digits', "
    "'folder:PATH' or 'npz:PATH'."
)


def load_cifar10(data_dir=None, image_size=None):
    """Loads CIFAR-10 from prepared files, or downloads and prepares them.

    Images and labels stand in the order of the files, always the same.

    Args:
        data_dir: str or path, the directory of tensorflow-datasets, which
            holds `cifar10/VERSION/`; None is its own default.
        image_size: int, refused if it is not 32, or None.

    Returns:
        `Dataset` of 50,000 training and 10,000 test images.

    Raises:
        FileNotFoundError: not prepared, and the download is out of reach.
        ValueError: another image size, or files that cannot be read.
    """
    if image_size not in (None, 32):
        raise ValueError(
            "`image_size` must be 32 for 'cifar10', received "
            f"{image_size}; views bring images to the size that you want."
        )
    check_cifar10(data_dir)
    root = _root(data_dir)
    directory = _prepared(root) or _prepare(root)
    builder = _tensorflow_datasets().builder_from_directory(directory)
    return Dataset(
        name="cifar10",
        train=_read(builder, "train"),
        test=_read(builder, "test"),
        class_names=tuple(builder.info.features["label"].names),
    )


def check_cifar10(data_dir=None):
    """Refuses CIFAR-10 where it is neither prepared nor to be downloaded.

    Imports nothing heavy, and takes six seconds at most, where nobody
    answers.

    Args:
        data_dir: as in `load_cifar10`.

    Raises:
        FileNotFoundError: as there.
        ImportError: without what reads it.
    """
    for name in ("tensorflow", "tensorflow_datasets"):
        if importlib.util.find_spec(name) is None:
            raise ImportError(_NOT_IMPORTED.format(f"No module named {name!r}"))
    root = _root(data_dir)
    if _prepared(root) is None:
        _check_reachable(root)


def _root(data_dir):
    if data_dir is None:
        # As tensorflow-datasets has it, which takes seconds to ask.
        data_dir = os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")
    return pathlib.Path(data_dir).expanduser()


def _prepared(root):
    """The newest prepared version, or None."""
    directories = [
        path.parent
        for path in root.glob("cifar10/*/dataset_info.json")
        if re.fullmatch(r"\d+\.\d+\.\d+", path.parent.name)
    ]

    def version(directory):
        return tuple(int(number) for number in directory.name.split("."))

    return max(directories, key=version, default=None)


def _check_reachable(root):
    # Left alone, tensorflow-datasets tries for minutes before it gives up.
    obstacle = _obstacle(_URL, _PROBE_SECONDS)
    if obstacle:
        host = _URL.split("/")[2]
        raise FileNotFoundError(
            "CIFAR-10 is not prepared (no "
            f"{root / 'cifar10' / 'VERSION' / 'dataset_info.json'}) and "
            f"{host} cannot be reached to download it ({obstacle}): "
            f"{_REMEDIES}"
        )


def _obstacle(url, seconds):
    """Why a URL cannot be downloaded, or None if it answers in time."""
    answers = []

    def probe():
        request = urllib.request.Request(url, method="HEAD")
        try:
            with urllib.request.urlopen(request, timeout=seconds):
                answers.append(None)
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            answers.append(str(reason) or type(error).__name__)

    # A thread, because looking up a host name knows no timeout.
    thread = threading.Thread(target=probe, daemon=True)
    thread.start()
    thread.join(seconds + 1)
    return answers[0] if answers else f"no answer within {seconds} seconds"


def _prepare(root):
    tfds = _tensorflow_datasets()
    try:
        builder = tfds.builder("cifar10", data_dir=root)
        builder.download_and_prepare()
    # Whatever goes wrong in a download, the person needs to know where.
    except Exception as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise FileNotFoundError(
            f"CIFAR-10 could not be downloaded from {_URL} to {root} "
            f"({reason}): {_REMEDIES}"
        ) from error
    return builder.data_dir


def _read(builder, split):
    tfds = _tensorflow_datasets()
    dataset = builder.as_dataset(
        split=split,
        shuffle_files=False,
        # One file after the other, however many there are.
        read_config=tfds.ReadConfig(interleave_cycle_length=1),
    )
    try:
        batches = list(dataset.batch(1000).as_numpy_iterator())
    except Exception as error:
        raise ValueError(
            f"The CIFAR-10 files in {builder.data_dir} cannot be read; "
            f"remove the directory and prepare it anew: {error}"
        ) from error
    return Split(
        images=np.concatenate([batch["image"] for batch in batches]),
        labels=np.concatenate([batch["label"] for batch in batches]).astype(
            np.int32
        ),
    )


def _tensorflow_datasets():
    import keras

    try:
        import tensorflow as tf
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise ImportError(_NOT_IMPORTED.format(error)) from error
    if keras.backend.backend() != "tensorflow":
        _leave_accelerator_alone(tf)
    return tfds


def _leave_accelerator_alone(tf):
    # TensorFlow only reads files here, and would take all the memory of an
    # accelerator that belongs to the other backend.
    try:
        tf.config.set_visible_devices([], "GPU")
    except RuntimeError:
        # Already at work, by somebody else's choice.
        pass
