"""Images from a folder, in class folders or without labels."""

import logging

import numpy as np

from keras_contrastive.data.dataset import Dataset
from keras_contrastive.data.dataset import Split
from keras_contrastive.data.image_cache import decode_cached
from keras_contrastive.data.image_files import ImageFiles
from keras_contrastive.data.image_files import find_parts
from keras_contrastive.data.splits import hold_out_tenth

_LOGGER = logging.getLogger(__name__)
_NAMED = 5


def load_image_folder(root, image_size, cache_dir=None):
    """Loads a folder of images of any size and kind.

    Each sub-folder is a class of that name, with all images below it; a
    folder without such sub-folders is unlabelled. Sub-folders `train` and
    `test` (or `val`, `validation`) are the parts, each one of these kinds;
    without them a tenth of the files is the test set. Hidden files, and files
    with other endings than those of images, do not count.

    Files that cannot be read are left out, and a warning names them.

    Args:
        root: `pathlib.Path` of the folder.
        image_size: int, height and width in pixels, as `decode_image` has it.
        cache_dir: path, as in `decode_cached`.

    Returns:
        `Dataset`, its images uint8, a memory map or a part of one.

    Raises:
        FileNotFoundError: no such folder.
        ValueError: no images, or none of a part that can be read.
    """
    if not root.is_dir():
        raise FileNotFoundError(
            f"No folder {root}: 'folder:PATH' needs one that holds images."
        )
    train, test = find_parts(root)
    has_parts = test is not None
    if not has_parts:
        train, test = _held_out(train, root)
    class_names = _class_names(train, test)
    images, reasons = _decoded(train, test, image_size, root, cache_dir)
    if reasons:
        _LOGGER.warning("%s: %s.", root, _sentence(reasons))
        for path, why in list(reasons.items())[_NAMED:]:
            _LOGGER.info("%s cannot be read: %s", path, why)
    if not has_parts and reasons.keys() >= set(test.paths):
        # A tenth of what can be read, then.
        train, test = _held_out(_without(train, reasons, root), root)
        images, _ = _decoded(train, test, image_size, root, cache_dir)
    train, test = _without(train, reasons, root), _without(test, reasons, root)
    boundary = len(train.paths)
    return Dataset(
        name=f"folder:{root}",
        train=Split(images[:boundary], _labels(train, class_names)),
        test=Split(images[boundary:], _labels(test, class_names)),
        class_names=class_names,
    )


def _decoded(train, test, image_size, root, cache_dir):
    """The images of both parts, and why the files without a row have none."""
    paths = train.paths + test.paths
    images, unreadable = decode_cached(paths, image_size, root, cache_dir)
    return images, {paths[place]: why for place, why in unreadable.items()}


def _held_out(files, root):
    """The tenth that is the test set, drawn over the files."""
    if len(files.paths) < 2:
        raise ValueError(
            f"{root} must hold at least two images, one of them for the test "
            f"set, received {len(files.paths)}."
        )
    labels = _labels(files, _class_names(files))
    parts = hold_out_tenth(len(files.paths) if labels is None else labels)
    return tuple(_take(files, rows) for rows in parts)


def _take(files, rows):
    class_of = files.class_of
    return ImageFiles(
        [files.paths[row] for row in rows],
        None if class_of is None else [class_of[row] for row in rows],
    )


def _class_names(*parts):
    """The sorted names of the classes of all parts, None without classes."""
    names = {name for files in parts for name in files.class_of or ()}
    return tuple(sorted(names)) or None


def _labels(files, class_names):
    if files.class_of is None:
        return None
    label_of = {name: label for label, name in enumerate(class_names)}
    return np.array([label_of[name] for name in files.class_of], np.int32)


def _without(files, reasons, root):
    rows = [row for row, path in enumerate(files.paths) if path not in reasons]
    if not rows:
        raise ValueError(
            f"{root} must hold images that can be read, for training and for "
            f"test: {_sentence(reasons)}."
        )
    return _take(files, rows)


def _sentence(reasons):
    named = [f"{path} ({why})" for path, why in reasons.items()][:_NAMED]
    more = len(reasons) - len(named)
    return (
        f"{len(reasons)} files cannot be read and are left out, "
        + "; ".join(named)
        + (f"; and {more} more, named at logging's level INFO" if more else "")
    )
