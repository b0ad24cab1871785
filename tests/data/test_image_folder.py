"""Folders of images as data sets."""

import logging

import numpy as np
import pytest
from PIL import Image

from keras_contrastive import data


def make(root, **classes):
    """Class folders of so many images; the pixels say class and number."""
    for place, (name, count) in enumerate(classes.items()):
        folder = root / name.replace("__", "/")
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            Image.new("RGB", (12, 9), (place, number, 0)).save(
                folder / f"{number:03d}.png"
            )
    return root


def pixels(images):
    return [tuple(pixel[:2].tolist()) for pixel in images[:, 0, 0]]


def test_class_folders(tmp_path):
    make(tmp_path, ant=20, bee=30)
    dataset = data.load(f"folder:{tmp_path}", image_size=8)
    assert dataset.name == f"folder:{tmp_path}"
    assert dataset.class_names == ("ant", "bee")
    assert np.bincount(dataset.train.labels).tolist() == [18, 27]
    assert np.bincount(dataset.test.labels).tolist() == [2, 3]
    for part in (dataset.train, dataset.test):
        assert isinstance(part.images, np.memmap)
        assert part.images.shape[1:] == (8, 8, 3)
        assert part.labels.dtype == np.int32
        assert [place for place, _ in pixels(part.images)] == list(part.labels)
    both = pixels(dataset.train.images) + pixels(dataset.test.images)
    assert sorted(both) == [
        *((0, number) for number in range(20)),
        *((1, number) for number in range(30)),
    ]
    again = data.load(f"folder:{tmp_path}", image_size=8)
    assert pixels(again.test.images) == pixels(dataset.test.images)


def test_the_default_size(tmp_path):
    make(tmp_path, ant=2)
    dataset = data.load(f"folder:{tmp_path}")
    assert dataset.train.images.shape == (1, 32, 32, 3)


def test_without_labels(tmp_path):
    make(tmp_path, **{".": 20})
    dataset = data.load(f"folder:{tmp_path}", image_size=4)
    assert dataset.train.labels is None and dataset.test.labels is None
    assert dataset.class_names is None and dataset.num_classes is None
    assert len(dataset.train) == 18 and len(dataset.test) == 2


def test_parts_of_its_own(tmp_path):
    make(tmp_path, train__bee=3, train__ant=4, test__bee=2, test__cow=1)
    dataset = data.load(f"folder:{tmp_path}", image_size=4)
    # A class may occur in the test set alone.
    assert dataset.class_names == ("ant", "bee", "cow")
    assert dataset.train.labels.tolist() == [0] * 4 + [1] * 3
    assert dataset.test.labels.tolist() == [1, 1, 2]
    assert pixels(dataset.train.images) == [
        *((1, number) for number in range(4)),
        *((0, number) for number in range(3)),
    ]
    assert pixels(dataset.test.images) == [(2, 0), (2, 1), (3, 0)]


def test_a_labelled_part_beside_an_unlabelled_one(tmp_path):
    make(tmp_path, train=5, test__ant=2)
    dataset = data.load(f"folder:{tmp_path}", image_size=4)
    assert dataset.train.labels is None
    assert dataset.test.labels.tolist() == [0, 0]


def test_files_that_cannot_be_read_are_named_and_left_out(tmp_path, caplog):
    make(tmp_path, train__ant=5, train__bee=5, test__bee=3)
    broken = [
        tmp_path / "train" / "ant" / "002.png",
        tmp_path / "train" / "bee" / "000.png",
        tmp_path / "test" / "bee" / "001.png",
    ]
    broken[0].write_bytes(b"")
    broken[1].write_bytes(b"no image")
    broken[2].write_bytes(broken[2].read_bytes()[:40])
    for _ in range(2):  # Decoded, then from the cache.
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            dataset = data.load(f"folder:{tmp_path}", image_size=4)
        assert "3 files cannot be read and are left out" in caplog.text
        for path in broken:
            assert str(path) in caplog.text
        assert dataset.train.labels.tolist() == [0] * 4 + [1] * 4
        assert pixels(dataset.train.images) == [
            *((0, number) for number in (0, 1, 3, 4)),
            *((1, number) for number in (1, 2, 3, 4)),
        ]
        assert pixels(dataset.test.images) == [(2, 0), (2, 2)]


def test_many_unreadable_files_are_counted(tmp_path, caplog):
    make(tmp_path, ant=20)
    for number in range(9):
        (tmp_path / "ant" / f"{number:03d}.png").write_bytes(b"")
    with caplog.at_level(logging.INFO):
        dataset = data.load(f"folder:{tmp_path}", image_size=4)
    (warning,) = [
        each.getMessage()
        for each in caplog.records
        if each.levelno == logging.WARNING
    ]
    assert "9 files cannot be read" in warning
    assert "and 4 more" in warning
    for number in range(9):
        assert f"{number:03d}.png" in caplog.text
    assert len(dataset.train) + len(dataset.test) == 11


def test_what_was_held_out_cannot_be_read(tmp_path):
    """Of few files it may be a single one: another is held out then."""
    make(tmp_path, ant=5)
    held_out = data.load(f"folder:{tmp_path}", image_size=4).test
    ((_, number),) = pixels(held_out.images)
    (tmp_path / "ant" / f"{number:03d}.png").write_bytes(b"")
    for _ in range(2):
        dataset = data.load(f"folder:{tmp_path}", image_size=4)
        left = pixels(dataset.train.images) + pixels(dataset.test.images)
        assert len(dataset.test) == 1
        assert sorted(left) == [(0, k) for k in range(5) if k != number]


@pytest.mark.parametrize("part", ["train", "test"])
def test_a_part_of_which_none_can_be_read(tmp_path, part):
    make(tmp_path, train=2, test=2)
    for path in (tmp_path / part).iterdir():
        path.write_bytes(b"")
    with pytest.raises(ValueError, match="2 files cannot be read.*000.png"):
        data.load(f"folder:{tmp_path}", image_size=4)


def test_one_image_is_too_few(tmp_path):
    make(tmp_path, ant=1)
    with pytest.raises(ValueError, match="two images.*received 1"):
        data.load(f"folder:{tmp_path}")


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="No folder .*/nothing"):
        data.load(f"folder:{tmp_path}/nothing")


def test_a_cache_elsewhere(tmp_path):
    make(tmp_path / "photos", ant=3)
    data.load(
        f"folder:{tmp_path}/photos", image_size=4, cache_dir=tmp_path / "cache"
    )
    assert (tmp_path / "cache").is_dir()
    assert not (tmp_path / "photos" / ".keras_contrastive").exists()


def test_batches_of_a_memory_map(tmp_path):
    make(tmp_path, ant=10, bee=10)
    train = data.load(f"folder:{tmp_path}", image_size=4).train
    for batch in data.batches(train.images, 6, labels=train.labels):
        places = [place for place, _ in pixels(batch["images"])]
        assert places == batch["labels"].tolist()
