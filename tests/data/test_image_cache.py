"""Decoded once, found again, never half."""

import os
import pathlib
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from keras_contrastive.data import image_cache
from keras_contrastive.data.decode_image import decode_image
from keras_contrastive.data.image_cache import decode_cached


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "photos"
    root.mkdir()
    for level in range(150):
        Image.new("RGB", (9, 7), (level, 255 - level, 7)).save(
            root / f"{level:03d}.png"
        )
    return root


def paths_of(root):
    return sorted(str(path) for path in root.glob("*.png"))


def levels(images):
    return images[:, 0, 0, 0].tolist()


def caches(home):
    return sorted(path.name for path in home.iterdir())


@pytest.fixture
def decodes(monkeypatch):
    """The files that are decoded, and not found decoded."""
    decoded = []

    def decode(path, image_size):
        decoded.append(path)
        return decode_image(path, image_size)

    monkeypatch.setattr(image_cache, "decode_image", decode)
    return decoded


def test_decoded_once_in_order_into_a_memory_map(root, decodes):
    images, unreadable = decode_cached(paths_of(root), 5, root)
    assert isinstance(images, np.memmap) and not images.flags.writeable
    assert images.shape == (150, 5, 5, 3) and images.dtype == np.uint8
    assert levels(images) == list(range(150))
    assert unreadable == {}
    assert sorted(decodes) == paths_of(root)
    again, _ = decode_cached(paths_of(root), 5, root)
    assert np.array_equal(images, again)
    assert len(decodes) == 150
    assert len(caches(root / ".keras_contrastive")) == 1


def test_files_that_cannot_be_read_have_no_row(root):
    for name in ("000", "003", "149"):
        (root / f"{name}.png").write_bytes(b"no image")
    for _ in range(2):
        images, unreadable = decode_cached(paths_of(root), 5, root)
        assert levels(images) == [1, 2, *range(4, 149)]
        assert sorted(unreadable) == [0, 3, 149]
        assert "cannot identify image file" in unreadable[3]


def test_no_file_can_be_read(root):
    for path in paths_of(root):
        pathlib.Path(path).write_bytes(b"")
    images, unreadable = decode_cached(paths_of(root), 5, root)
    assert len(images) == 0 and len(unreadable) == 150


def change_content(root):
    Image.new("RGB", (9, 7), (99, 99, 99)).save(root / "000.png")


def change_time(root):
    os.utime(root / "000.png", (1, 1))


def rename(root):
    (root / "000.png").rename(root / "zzz.png")


def remove(root):
    (root / "000.png").unlink()


@pytest.mark.parametrize(
    "change", [change_content, change_time, rename, remove]
)
def test_a_changed_folder_is_decoded_anew(root, decodes, change):
    images, _ = decode_cached(paths_of(root), 5, root)
    change(root)
    anew, _ = decode_cached(paths_of(root), 5, root)
    assert len(decodes) == 150 + len(paths_of(root))
    expected = [decode_image(path, 5)[0, 0, 0] for path in paths_of(root)]
    assert levels(anew) == expected
    # The old cache is gone, but not from under those who have it open.
    assert len(caches(root / ".keras_contrastive")) == 1
    assert levels(images) == list(range(150))


def test_each_size_has_its_cache(root):
    decode_cached(paths_of(root), 5, root)
    images, _ = decode_cached(paths_of(root), 6, root)
    assert images.shape[1:] == (6, 6, 3)
    names = caches(root / ".keras_contrastive")
    assert [name.partition("-")[0] for name in names] == ["5px", "6px"]


@pytest.mark.parametrize("name", ["images.npy", "unreadable.json"])
@pytest.mark.parametrize("size", [None, 0, 40])
def test_a_damaged_cache_is_made_anew(root, decodes, name, size):
    decode_cached(paths_of(root), 5, root)
    (file,) = (root / ".keras_contrastive").glob(f"*/{name}")
    if size is None:
        file.unlink()
    else:
        file.write_bytes(b"x" * size)
    images, _ = decode_cached(paths_of(root), 5, root)
    assert levels(images) == list(range(150))
    assert len(decodes) == 300
    decode_cached(paths_of(root), 5, root)
    assert len(decodes) == 300


def test_an_interrupted_decode_leaves_nothing(root, monkeypatch):
    def interrupt(path, image_size):
        if path.endswith("140.png"):
            raise KeyboardInterrupt
        return decode_image(path, image_size)

    monkeypatch.setattr(image_cache, "decode_image", interrupt)
    with pytest.raises(KeyboardInterrupt):
        decode_cached(paths_of(root), 5, root)
    assert caches(root / ".keras_contrastive") == []


def test_a_killed_decode_is_not_taken_for_a_cache(root):
    code = f"""
import os
from keras_contrastive.data import image_cache
decode = image_cache.decode_image
def kill(path, image_size):
    if path.endswith("140.png"):
        os._exit(9)
    return decode(path, image_size)
image_cache.decode_image = kill
import pathlib
root = pathlib.Path({str(root)!r})
paths = sorted(str(path) for path in root.glob("*.png"))
image_cache.decode_cached(paths, 5, root)
"""
    killed = subprocess.run(
        [sys.executable, "-c", STAND_IN + code],
        cwd=pathlib.Path(__file__).parents[2],
    )
    assert killed.returncode == 9
    assert caches(root / ".keras_contrastive")[0].startswith("partial-")
    images, _ = decode_cached(paths_of(root), 5, root)
    assert levels(images) == list(range(150))


# A process that decodes needs nothing of Keras: spare it the import.
STAND_IN = """
import sys, types
keras = sys.modules["keras"] = types.ModuleType("keras")
keras.utils = types.SimpleNamespace(PyDataset=object)
"""


def test_two_processes_at_once(root, monkeypatch):
    def slow(path, image_size):
        # Another process is done just before this one.
        if path.endswith("149.png"):
            monkeypatch.setattr(image_cache, "decode_image", decode_image)
            first.append(decode_cached(paths_of(root), 5, root)[0])
        return decode_image(path, image_size)

    first = []
    monkeypatch.setattr(image_cache, "decode_image", slow)
    second, _ = decode_cached(paths_of(root), 5, root)
    assert levels(first[0]) == levels(second) == list(range(150))
    assert len(caches(root / ".keras_contrastive")) == 1


def test_a_directory_of_ones_own(root, tmp_path):
    home = tmp_path / "elsewhere" / "deep"
    other = tmp_path / "other" / "photos"
    other.mkdir(parents=True)
    Image.new("RGB", (3, 3), (7, 7, 7)).save(other / "000.png")
    decode_cached(paths_of(root), 5, root, home)
    decode_cached(paths_of(other), 5, other, str(home))
    assert not (root / ".keras_contrastive").exists()
    # Folders of one name do not get in each other's way.
    assert len(caches(home)) == 2
    images, _ = decode_cached(paths_of(root), 5, root, home)
    assert levels(images) == list(range(150))


def block(directory):
    """Makes it impossible to write there, for the superuser too."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    directory.write_text("in the way")


def test_a_folder_that_cannot_be_written(root, tmp_path, monkeypatch, decodes):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    block(root / ".keras_contrastive")
    decode_cached(paths_of(root), 5, root)
    user = tmp_path / "home" / ".cache" / "keras_contrastive"
    assert len(caches(user)) == 1
    decode_cached(paths_of(root), 5, root)
    assert len(decodes) == 150

    monkeypatch.setenv("HOME", str(tmp_path / "other"))
    block(tmp_path / "other" / ".cache")
    decode_cached(paths_of(root), 5, root)
    assert len(caches(tmp_path / "temporary" / "keras_contrastive")) == 1

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "blocked"))
    block(tmp_path / "blocked" / "keras_contrastive")
    with pytest.raises(OSError, match="`cache_dir`; tried in vain"):
        decode_cached(paths_of(root), 5, root)


def test_a_long_decode_says_how_far_it_is(root, monkeypatch, capsys):
    decode_cached(paths_of(root), 5, root)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(image_cache, "_SECONDS_OF_SILENCE", 0.05)
    monkeypatch.setattr(image_cache, "_FILES_PER_THREAD", 8)

    def slow(path, image_size):
        time.sleep(0.01)
        return decode_image(path, image_size)

    monkeypatch.setattr(image_cache, "decode_image", slow)
    decode_cached(paths_of(root), 6, root)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) >= 2
    assert lines[-1].startswith("Decoded 150 of 150 images (")
