"""Which files of a folder are images, of which part and of which class."""

import dataclasses
import logging
import os

_LOGGER = logging.getLogger(__name__)
_TEST_NAMES = ("test", "val", "validation")


@dataclasses.dataclass(frozen=True)
class ImageFiles:
    """The image files of one part, sorted, and their classes.

    Args:
        paths: list of str.
        class_of: list of str, the class of each path, or None without
            classes.
    """

    paths: list
    class_of: list | None


def find_parts(root):
    """Finds the image files of a folder, for training and for test.

    A folder with a sub-folder `train` beside a sub-folder `test` (or else
    `val`, or `validation`) is the two parts. Any other folder is one part,
    and so is a folder `train` that stands alone.

    Args:
        root: `pathlib.Path` of a folder.

    Returns:
        Pair of `ImageFiles`; the second is None where there is one part.

    Raises:
        ValueError: no image files in a part.
    """
    folders = _folders_in(root)
    if folders == ["train"]:
        return _find_files(root / "train"), None
    test_names = [name for name in _TEST_NAMES if name in folders]
    if not test_names or "train" not in folders:
        return _find_files(root), None
    if len(test_names) > 1:
        _LOGGER.warning(
            "%s: %r is the test set, %s left out.",
            root,
            test_names[0],
            " and ".join(repr(name) for name in test_names[1:]),
        )
    return _find_files(root / "train"), _find_files(root / test_names[0])


def _find_files(part):
    """Class folders if any holds an image, or else all images of the part."""
    suffixes = _image_suffixes()
    beside = _images_in(part, suffixes)
    paths, class_of = [], []
    for name in _folders_in(part):
        found = sorted(_images_below(part / name, suffixes))
        paths += found
        class_of += [name] * len(found)
    if paths and beside:
        _LOGGER.warning(
            "%s: %d images beside the class folders are left out.",
            part,
            len(beside),
        )
    if not paths:
        paths, class_of = sorted(beside), None
    if not paths:
        raise ValueError(
            f"{part} must hold images, in class folders or without, received "
            "a folder in which no file has the name of an image."
        )
    return ImageFiles(paths, class_of)


def _folders_in(directory):
    return sorted(
        entry.name
        for entry in os.scandir(directory)
        if entry.is_dir() and not entry.name.startswith(".")
    )


def _images_below(folder, suffixes):
    for directory, folders, _ in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from _images_in(directory, suffixes)


def _images_in(directory, suffixes):
    return [
        entry.path
        for entry in os.scandir(directory)
        if not entry.name.startswith(".")
        and os.path.splitext(entry.name)[1].lower() in suffixes
        and entry.is_file()
    ]


def _image_suffixes():
    """Endings that Pillow can open, and none at all."""
    from PIL import Image

    endings = Image.registered_extensions()
    return {"", *(end for end, kind in endings.items() if kind in Image.OPEN)}
