"""Every source of images, by name."""

import os
import pathlib

from keras_contrastive.data.cifar10 import check_cifar10
from keras_contrastive.data.cifar10 import load_cifar10
from keras_contrastive.data.digits import load_digits
from keras_contrastive.data.image_folder import load_image_folder
from keras_contrastive.data.labels import as_whole_number
from keras_contrastive.data.npz import load_npz


def load(name, data_dir=None, image_size=None, cache_dir=None):
    """Loads images for training and test by the name of their source.

    - `"cifar10"`: CIFAR-10, 50,000 and 10,000 images of 32x32x3, through
      tensorflow-datasets: from its prepared files in `data_dir`, or else
      downloaded to there.
    - `"digits"`: scikit-learn's 1,797 handwritten digits of 8x8, enlarged to
      `image_size`. Nothing is downloaded.
    - `"folder:PATH"`: images of any size and kind in class folders, or
      without labels, decoded once into a memory-mapped file.
    - `"npz:PATH"`: the arrays `images` and, if there are any, `labels`,
      `test_images` and `test_labels` of a file that `numpy.savez` wrote;
      with `*` or `?` in PATH, of all files that fit, joined in the order of
      their names.

    Of a folder or file without test images a tenth is the test set, of the
    digits a fifth: drawn by `data.split` with seed 0, so always the same.

    Args:
        name: str, as above.
        data_dir: str or path, the directory of tensorflow-datasets; None is
            its own default. For "cifar10" only.
        image_size: int, height and width in pixels that "digits" and
            "folder:PATH" are brought to; None is 32. The other sources keep
            the size that they have, and refuse another.
        cache_dir: str or path, where "folder:PATH" keeps the decoded images;
            None is the folder `.keras_contrastive` within PATH, or if that
            cannot be written, within the user's cache or temporary directory.

    Returns:
        `data.Dataset`.

    Raises:
        ValueError: an unknown name, or a source that is not as it should be.
        FileNotFoundError: a source that is not there.

    Example:

    ```python
    dataset = keras_contrastive.data.load("digits")
    model.fit(dataset.train.images)
    ```
    """
    kind, _, path = str(name).partition(":")
    if image_size is not None:
        image_size = as_whole_number(image_size, "image_size", minimum=1)
    if data_dir is not None and kind != "cifar10":
        raise ValueError(
            "`data_dir` is the directory of tensorflow-datasets, for "
            f"'cifar10' only; received {os.fspath(data_dir)!r} for {name!r}."
        )
    if cache_dir is not None and kind != "folder":
        raise ValueError(
            "`cache_dir` is where 'folder:PATH' keeps decoded images; "
            f"received {os.fspath(cache_dir)!r} for {name!r}."
        )
    if name == "cifar10":
        return load_cifar10(data_dir, image_size)
    if name == "digits":
        return load_digits(image_size or 32)
    if kind == "folder" and path:
        root = pathlib.Path(path).expanduser()
        return load_image_folder(root, image_size or 32, cache_dir)
    if kind == "npz" and path:
        return load_npz(pathlib.Path(path).expanduser(), image_size)
    raise ValueError(
        "`name` must be 'cifar10', 'digits', 'folder:PATH' or 'npz:PATH', "
        f"received {name!r}."
    )


def check_available(name, data_dir=None):
    """Refuses a source that has to be downloaded and cannot be.

    To be asked before Keras is loaded: this needs neither Keras nor a
    backend, and answers within six seconds.

    Args:
        name: str, as in `load`.
        data_dir: str or path, as in `load`.

    Raises:
        FileNotFoundError: what is not there, and cannot be downloaded; of
            files and folders only `load` tells.
        ImportError: without what reads it.

    Example:

    >>> check_available("digits")
    """
    if name == "cifar10":
        check_cifar10(data_dir)
