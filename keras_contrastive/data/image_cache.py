"""Images decoded once into a memory-mapped file.

A cache is a directory `SIZEpx-FINGERPRINT`, which holds the images and the
list of the files that could not be read. It is made under another name and
renamed when it is whole, so that an interrupted decode leaves nothing that
could be taken for a cache.
"""

import concurrent.futures
import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import sys
import tempfile
import time

import numpy as np

from keras_contrastive.data.decode_image import decode_image

# Counts in the fingerprint: raise it when decoding changes.
_VERSION = 1
_IMAGES = "images.npy"
_UNREADABLE = "unreadable.json"
_FILES_PER_THREAD = 32
_SECONDS_OF_SILENCE = 3


def decode_cached(paths, image_size, root, cache_dir=None):
    """Decodes image files, or finds them decoded already.

    A cache is found again as long as the files' names, sizes and times of
    change are the same.

    Args:
        paths: list of str below `root`.
        image_size: int, height and width in pixels.
        root: `pathlib.Path`, the folder that the cache belongs to.
        cache_dir: path, where to keep caches, or None: within the folder, or
            if that cannot be written, within the user's cache directory or
            the temporary one.

    Returns:
        Pair: images, a read-only uint8 memory map of the shape
        (N, image_size, image_size, 3), one row for each file that can be
        read, in order; and a dict from the place in `paths` of each other
        file to the reason.

    Raises:
        OSError: no directory can be written.
    """
    name = f"{image_size}px-{_fingerprint(paths, root)}"
    homes = _homes(root, cache_dir)
    for home in homes:
        cached = _open(home / name, len(paths), image_size)
        if cached:
            return cached
    scratch = _scratch(homes)
    try:
        _fill(scratch, paths, image_size)
        # Opened before the renaming: the map outlives whatever happens to
        # the name.
        cached = _open(scratch, len(paths), image_size)
        _publish(scratch, scratch.parent / name)
        return cached
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _fingerprint(paths, root):
    digest = hashlib.sha256(str(_VERSION).encode())
    above = len(os.path.join(root, ""))
    for path in paths:
        state = os.stat(path)
        entry = f"{path[above:]}\0{state.st_size}\0{state.st_mtime_ns}\0"
        digest.update(entry.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:16]


def _homes(root, cache_dir):
    """Where a cache of this folder may be, the preferred place first."""
    root = root.resolve()
    own = f"{root.name}-{hashlib.sha256(str(root).encode()).hexdigest()[:8]}"
    if cache_dir is not None:
        return [pathlib.Path(cache_dir).expanduser() / own]
    homes = [root / ".keras_contrastive"]
    try:
        homes.append(pathlib.Path.home() / ".cache/keras_contrastive" / own)
    except RuntimeError:
        # The user of a container may have no home.
        pass
    temporary = pathlib.Path(tempfile.gettempdir())
    return [*homes, temporary / "keras_contrastive" / own]


def _open(directory, num_files, image_size):
    """The cache in a directory, or None if it is not there or not whole."""
    try:
        unreadable = json.loads((directory / _UNREADABLE).read_text())
        images = np.load(directory / _IMAGES, mmap_mode="r")
    except (EOFError, OSError, ValueError):
        return None
    if images.shape != (num_files, image_size, image_size, 3):
        return None
    unreadable = {int(place): reason for place, reason in unreadable.items()}
    return images[: num_files - len(unreadable)], unreadable


def _scratch(homes):
    """A fresh directory in the first place that can be written."""
    obstacles = []
    for home in homes:
        try:
            home.mkdir(parents=True, exist_ok=True)
            return pathlib.Path(tempfile.mkdtemp(prefix="partial-", dir=home))
        except OSError as error:
            obstacles.append(str(error))
    raise OSError(
        "Decoded images need a directory that can be written, pass one as "
        f"`cache_dir`; tried in vain: {'; '.join(obstacles)}."
    )


def _fill(directory, paths, image_size):
    images = _blank(
        directory / _IMAGES, (len(paths), image_size, image_size, 3)
    )

    def decode(row):
        try:
            images[row] = decode_image(paths[row], image_size)
        # Pillow raises errors of many kinds for a damaged file.
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    reasons = []
    counter = _Counter(len(paths))
    threads = os.cpu_count() or 1
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(paths), threads * _FILES_PER_THREAD):
            stop = min(start + threads * _FILES_PER_THREAD, len(paths))
            reasons += pool.map(decode, range(start, stop))
            counter.show(stop)
    kept = [row for row, reason in enumerate(reasons) if reason is None]
    for place, row in enumerate(kept):
        if place != row:
            images[place] = images[row]
    images.flush()
    unreadable = {row: why for row, why in enumerate(reasons) if why}
    (directory / _UNREADABLE).write_text(json.dumps(unreadable))


def _blank(path, shape):
    images = np.lib.format.open_memmap(
        path, mode="w+", dtype=np.uint8, shape=shape
    )
    if hasattr(os, "posix_fallocate"):
        # A full disk is an error here; once mapped it would kill the process.
        with open(path, "r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return images


def _publish(scratch, directory):
    """Gives a whole cache its name, and removes those it takes over from."""
    size = directory.name.partition("-")[0]
    for outdated in directory.parent.glob(f"{size}-*"):
        if outdated != directory:
            shutil.rmtree(outdated, ignore_errors=True)
    try:
        scratch.rename(directory)
    except OSError:
        # What is there is damaged, or another process was faster; if it is
        # faster again, its cache serves as well.
        shutil.rmtree(directory, ignore_errors=True)
        with contextlib.suppress(OSError):
            scratch.rename(directory)


class _Counter:
    """Says on stderr how far a decode is, once it takes long."""

    def __init__(self, total):
        self._total = total
        self._started = self._shown = time.monotonic()

    def show(self, done):
        now = time.monotonic()
        late = now - self._shown > _SECONDS_OF_SILENCE
        was_shown = self._shown > self._started
        if not (late or (was_shown and done == self._total)):
            return
        self._shown = now
        rate = done / (now - self._started)
        print(
            f"Decoded {done:,} of {self._total:,} images ({rate:,.0f}/s)",
            file=sys.stderr,
            flush=True,
        )
