"""Images from files that `numpy.savez` wrote."""

import glob
import zipfile

import numpy as np

from keras_contrastive.data.dataset import Dataset
from keras_contrastive.data.dataset import Split
from keras_contrastive.data.images import check_images
from keras_contrastive.data.labels import as_labels
from keras_contrastive.data.splits import hold_out_tenth


def load_npz(path, image_size=None):
    """Loads `images`, `labels`, `test_images`, `test_labels`, `class_names`.

    A pattern with `*` or `?` means all files that it fits, in the order of
    their names: what they hold of an array is joined.

    Only `images` must be there; `class_names` are the names of label 0, 1 and
    so on. Grey images, (N, H, W) or one channel, become three equal channels.
    Floats become float32. Without `test_images` a tenth of `images` is the
    test set, stratified where there are labels.

    Args:
        path: `pathlib.Path` of the file, or a pattern of paths.
        image_size: int, the height and width that the images must have, in
            pixels, or None.

    Returns:
        `Dataset`.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a file or an array that is not as it should be.
    """
    files = [_read(each) for each in _files(path)]
    class_names = _class_names(files)
    arrays = _joined(files)
    if "images" not in arrays:
        raise ValueError(
            f"{path} must hold an array `images`, received the arrays "
            f"{sorted(arrays)}."
        )
    if "test_labels" in arrays and "test_images" not in arrays:
        raise ValueError(
            f"{path} holds `test_labels` but no `test_images` to go with them."
        )
    given = _part(arrays, "")
    if image_size and given.images.shape[1:3] != (image_size, image_size):
        height, width = given.images.shape[1:3]
        raise ValueError(
            f"`image_size` must be left out for {path}, whose images are "
            f"{height}x{width}, received {image_size}; views bring images to "
            "the size that you want."
        )
    if "test_images" in arrays:
        train, test = given, _part(arrays, "test_")
        _check_alike(train.images, test.images)
    elif len(given) > 1:
        train, test = _held_out(given)
    else:
        raise ValueError(
            f"{path} must hold at least two images, one of them for the test "
            "set, or `test_images`, received 1."
        )
    return Dataset(
        name=f"npz:{path}",
        train=train,
        test=test,
        class_names=_checked_names(class_names, train, test),
    )


def _files(path):
    if path.is_file():
        return [path]
    pattern = str(path)
    found = sorted(glob.glob(pattern)) if set("*?") & set(pattern) else []
    if not found:
        raise FileNotFoundError(
            f"No file {path}: 'npz:PATH' needs one that `numpy.savez` wrote."
        )
    return found


def _joined(files):
    """What each array is when those of all files are put end to end."""
    joined = {}
    for name in dict.fromkeys(name for arrays in files for name in arrays):
        parts = [arrays[name] for arrays in files if name in arrays]
        kinds = {(part.dtype.name, part.shape[1:]) for part in parts}
        if len(kinds) > 1:
            raise ValueError(
                f"`{name}` must be of the same type and size in all files, "
                f"received {sorted(kinds)}."
            )
        joined[name] = np.concatenate(parts) if len(parts) > 1 else parts[0]
    return joined


def _read(path):
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    # A single array comes without a context manager: an AttributeError or,
    # in newer versions of NumPy, a TypeError.
    except (
        AttributeError,
        EOFError,
        OSError,
        TypeError,
        ValueError,
        zipfile.BadZipFile,
    ) as error:
        raise ValueError(
            f"{path} cannot be read as arrays of numbers that `numpy.savez` "
            f"wrote: {error}"
        ) from error


def _part(arrays, prefix):
    name = f"{prefix}images"
    images = arrays[name]
    if images.ndim == 3:
        images = images[..., np.newaxis]
    check_images(images, name)
    if images.shape[-1] == 1:
        images = np.repeat(images, 3, axis=-1)
    if images.shape[-1] != 3:
        raise ValueError(
            f"`{name}` must have one or three channels, received the shape "
            f"{arrays[name].shape}."
        )
    if images.dtype != np.uint8:
        images = images.astype(np.float32)
    labels = arrays.get(f"{prefix}labels")
    if labels is not None:
        labels = as_labels(labels, f"{prefix}labels", count=len(images))
    return Split(images, labels)


def _class_names(files):
    """Takes out the names that one file has, or all of them alike."""
    found = {
        tuple(str(name) for name in arrays.pop("class_names").ravel())
        for arrays in files
        if "class_names" in arrays
    }
    if len(found) > 1:
        raise ValueError(
            "`class_names` must be the same in all files that have them, "
            f"received {sorted(found)}."
        )
    return found.pop() if found else None


def _checked_names(names, train, test):
    if names is None or train.labels is None:
        return None
    labels = [part.labels for part in (train, test) if part.labels is not None]
    most = max(part.max(initial=0) for part in labels)
    if most >= len(names):
        raise ValueError(
            "`class_names` must have one entry for each label from 0 to "
            f"{most}, received {len(names)}."
        )
    return names


def _check_alike(images, test_images):
    if images.shape[1:] != test_images.shape[1:]:
        raise ValueError(
            "`test_images` must be of the same size as `images`, received "
            f"{test_images.shape[1:]} and {images.shape[1:]}."
        )
    if images.dtype != test_images.dtype:
        raise ValueError(
            "`test_images` must be of the same type as `images`, received "
            f"{test_images.dtype} and {images.dtype}."
        )


def _held_out(given):
    if given.labels is None:
        train, test = hold_out_tenth(len(given))
        return Split(given.images[train]), Split(given.images[test])
    train, test = hold_out_tenth(given.labels)
    return (
        Split(given.images[train], given.labels[train]),
        Split(given.images[test], given.labels[test]),
    )
