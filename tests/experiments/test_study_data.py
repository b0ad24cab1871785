"""Which images are trained on, and which are held back."""

import numpy as np
import pytest
from PIL import Image

from experiments import study_data
from experiments.joined_images import JoinedImages
from keras_contrastive import data


@pytest.fixture
def cut(dataset):
    return lambda **kwargs: study_data.load(
        f"npz:{dataset}", None, 32, **kwargs
    )


@pytest.mark.parametrize("split", ["standard", "source"])
def test_what_is_for_validation_is_held_back(cut, split):
    parts = cut(data_split=split)
    assert not np.isin(parts.validation.indices, parts.train.indices).any()
    assert not parts.validation_is_seen
    np.testing.assert_array_equal(parts.bank.indices, parts.train.indices)


def test_a_large_folder_is_joined_without_reading_it(tmp_path, monkeypatch):
    generator = np.random.default_rng(0)
    for part, count in (("train", 12), ("test", 8)):
        (tmp_path / part).mkdir()
        for number in range(count):
            pixels = generator.integers(0, 256, (4, 4, 3), dtype="uint8")
            name = tmp_path / part / f"{number:02d}.png"
            Image.fromarray(pixels).save(name)
    small = study_data.load(f"folder:{tmp_path}", None, 4, "source")
    assert type(small.train.images) is np.ndarray
    monkeypatch.setattr(study_data, "LARGEST_JOINED", small.train.images.nbytes)
    small = study_data.load(f"folder:{tmp_path}", None, 4, "source")
    assert type(small.train.images) is np.ndarray
    monkeypatch.setattr(study_data, "LARGEST_JOINED", 20 * 48 - 1)
    parts = study_data.load(f"folder:{tmp_path}", None, 4, "source")
    images = parts.train.images
    assert isinstance(images, JoinedImages)
    assert isinstance(images._first, np.memmap)
    assert isinstance(images._second, np.memmap)
    assert parts.index_hash == small.index_hash
    assert images.shape == (20, 4, 4, 3)
    assert images.dtype == "uint8"
    cut = data.load(f"folder:{tmp_path}", image_size=4)
    whole = np.concatenate([cut.train.images, cut.test.images])
    rows = generator.permutation(20)
    np.testing.assert_array_equal(images[rows], whole[rows])
    np.testing.assert_array_equal(images[rows[:0]], whole[:0])
    for part in (parts.train, parts.validation, parts.test):
        np.testing.assert_array_equal(part.load(), whole[part.indices])
        (batch,) = part.batches()
        np.testing.assert_array_equal(batch["images"], part.load())


def test_a_full_split_trains_on_all_but_the_test_images(cut):
    standard, full = cut(data_split="standard"), cut(data_split="full")
    assert full.validation_is_seen
    np.testing.assert_array_equal(
        full.train.indices, np.arange(len(full.train.images))
    )
    for name in ("validation", "test"):
        np.testing.assert_array_equal(
            getattr(full, name).indices, getattr(standard, name).indices
        )
    # What curves are drawn of is not in the bank that it is sought in.
    np.testing.assert_array_equal(
        np.sort(full.bank.indices), np.sort(standard.train.indices)
    )
    assert full.index_hash != standard.index_hash


def test_a_long_tail_is_drawn_of_all_images(cut):
    parts = cut(data_split="full", imbalance=4.0)
    assert len(parts.balanced) == len(parts.train.images)
    most = np.bincount(parts.balanced.own_labels).max()
    assert parts.class_counts.max() == most
    assert parts.validation_is_seen


def test_classes_are_counted_in_all_parts(tmp_path):
    images = np.zeros((40, 8, 8, 3), "uint8")
    np.savez(
        tmp_path / "images.npz",
        images=images,
        labels=np.arange(40) % 2,
        test_images=images[:6],
        test_labels=np.arange(6) % 3,
    )
    name = f"npz:{tmp_path}/images.npz"
    assert study_data.load(name, None, 32, "standard").num_classes == 3


def test_parts_without_pairs_of_images_are_refused(tmp_path):
    images = np.zeros((9, 8, 8, 3), "uint8")
    np.savez(tmp_path / "images.npz", images=images)
    with pytest.raises(ValueError, match="two validation images, received 1"):
        study_data.load(f"npz:{tmp_path}/images.npz", None, 32, "standard")
