"""Datasets as .npz files that `data.load("npz:...")` joins again."""

import numpy as np

# What names of arrays and the like take of a file.
_OVERHEAD = 4096


def write(dataset, folder, stem, limit):
    """Writes training images and test images into files of a folder.

    Args:
        dataset: `data.Dataset`.
        folder: pathlib.Path, made if it does not exist.
        stem: str, with which the files' names begin.
        limit: int, bytes that a file has at most.

    Returns:
        List of pathlib.Path, in the order in which they are to be read.

    Raises:
        ValueError: a folder that has such files, or images too large.
    """
    pattern = folder / f"{stem}_*.npz"
    if list(folder.glob(pattern.name)):
        raise ValueError(
            f"{pattern} exists, and would be read with what is written now; "
            "remove it or choose another --output_dir."
        )
    names = np.array(dataset.class_names or (), "str")
    parts = [
        *_parts(dataset.train, "", limit - names.nbytes),
        *_parts(dataset.test, "test_", limit),
    ]
    if names.size:
        parts[0]["class_names"] = names
    folder.mkdir(parents=True, exist_ok=True)
    digits = max(2, len(str(len(parts) - 1)))
    paths = []
    for number, arrays in enumerate(parts):
        paths.append(folder / f"{stem}_{number:0{digits}}.npz")
        np.savez(paths[-1], **arrays)
    return paths


def _parts(split, prefix, limit):
    """Dicts of arrays that are as long as a file may be."""
    image = split.images[0].nbytes
    label = 0 if split.labels is None else split.labels[0].nbytes
    count = (limit - _OVERHEAD) // (image + label)
    if count < 1:
        raise ValueError(
            f"An image has {image} bytes, which no file of {limit} holds; "
            "raise --part_mib."
        )
    for start in range(0, len(split), count):
        rows = slice(start, start + count)
        arrays = {f"{prefix}images": split.images[rows]}
        if label:
            arrays[f"{prefix}labels"] = split.labels[rows]
        yield arrays
