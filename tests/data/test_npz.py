"""Files of `numpy.savez`."""

import numpy as np
import pytest

from keras_contrastive import data

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (40, 6, 5, 3), np.uint8)
LABELS = np.repeat([0, 1], 20)


@pytest.fixture
def load(tmp_path):
    def save_and_load(image_size=None, **arrays):
        path = tmp_path / "data.npz"
        np.savez(path, **arrays)
        return data.load(f"npz:{path}", image_size=image_size)

    return save_and_load


def test_a_tenth_is_held_out_stratified(load):
    dataset = load(images=IMAGES, labels=LABELS)
    assert np.bincount(dataset.train.labels).tolist() == [18, 18]
    assert np.bincount(dataset.test.labels).tolist() == [2, 2]
    assert dataset.train.labels.dtype == np.int32
    assert dataset.class_names is None and dataset.num_classes == 2
    both = np.concatenate([dataset.train.images, dataset.test.images])
    assert both.dtype == np.uint8
    assert np.array_equal(np.unique(both, axis=0), np.unique(IMAGES, axis=0))
    # Images keep their labels.
    first = dataset.test.images[0]
    row = np.flatnonzero((IMAGES == first).all((1, 2, 3)))[0]
    assert LABELS[row] == dataset.test.labels[0]


def test_without_labels(load):
    dataset = load(images=IMAGES)
    assert dataset.train.labels is None and dataset.test.labels is None
    assert len(dataset.train) == 36 and len(dataset.test) == 4
    assert dataset.num_classes is None


def test_a_test_set_of_its_own(load):
    dataset = load(
        images=IMAGES,
        labels=LABELS,
        test_images=IMAGES[:3] + 1,
        test_labels=np.uint8([2, 1, 0]),
    )
    assert np.array_equal(dataset.train.images, IMAGES)
    assert np.array_equal(dataset.test.images, IMAGES[:3] + 1)
    assert dataset.test.labels.tolist() == [2, 1, 0]
    assert dataset.num_classes == 3


def test_a_test_set_without_labels(load):
    dataset = load(images=IMAGES, labels=LABELS, test_images=IMAGES[:3])
    assert dataset.test.labels is None
    assert len(dataset.train) == 40


@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 1)])
def test_grey_becomes_three_channels(load, shape):
    grey = IMAGES[..., :1].reshape(40, *shape)
    dataset = load(images=grey, test_images=grey)
    assert dataset.train.images.shape == (40, 6, 5, 3)
    for channel in range(3):
        assert np.array_equal(
            dataset.train.images[..., channel], IMAGES[..., 0]
        )


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floats_become_float32(load, dtype):
    dataset = load(images=(IMAGES / 255).astype(dtype))
    assert dataset.train.images.dtype == np.float32


def test_the_size_may_be_asked_for(load):
    square = IMAGES[:, :5]
    assert load(image_size=5, images=square).train.images.shape[1] == 5


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"pictures": IMAGES}, r"`images`.*\['pictures'\]"),
        ({"images": IMAGES.astype(int)}, "`images` .*int64"),
        ({"images": IMAGES * 1.0}, "`images` .*255"),
        ({"images": IMAGES[0, 0]}, "`images` "),
        ({"images": IMAGES[:0]}, "`images` .*0"),
        ({"images": IMAGES[..., :2]}, r"`images` .*\(40, 6, 5, 2\)"),
        ({"images": IMAGES[:1]}, "two images.*received 1"),
        ({"images": IMAGES, "labels": LABELS[:-1]}, "`labels` .*39 for 40"),
        ({"images": IMAGES, "labels": LABELS / 2}, "`labels` .*float64"),
        ({"images": IMAGES, "labels": LABELS - 1}, "`labels` .*-1"),
        ({"images": IMAGES, "test_labels": LABELS}, "no `test_images`"),
        (
            {"images": IMAGES, "test_images": IMAGES[:, :4]},
            r"`test_images` .*\(4, 5, 3\) and \(6, 5, 3\)",
        ),
        (
            {"images": IMAGES, "test_images": IMAGES / 255},
            "`test_images` .*float32 and uint8",
        ),
        (
            {
                "images": IMAGES,
                "test_images": IMAGES,
                "test_labels": LABELS[1:],
            },
            "`test_labels` .*39 for 40",
        ),
        ({"images": np.array([IMAGES, None], object)}, "data.npz"),
        ({"images": IMAGES, "image_size": 32}, "6x5, received 32"),
    ],
)
def test_what_is_refused(load, arrays, message):
    with pytest.raises(ValueError, match=message):
        load(**arrays)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing.npz"):
        data.load(f"npz:{tmp_path}/nothing.npz")


def test_several_files_are_joined_in_the_order_of_their_names(tmp_path):
    tests = {"test_images": IMAGES[::-1], "test_labels": LABELS[::-1]}
    for number, rows in enumerate((slice(7), slice(7, 30), slice(30, 40))):
        np.savez(
            tmp_path / f"part_{number}.npz",
            images=IMAGES[rows],
            labels=LABELS[rows],
        )
    np.savez(tmp_path / "part_3.npz", **tests)
    np.savez(tmp_path / "other.npz", images=IMAGES)
    dataset = data.load(f"npz:{tmp_path}/part_?.npz")
    assert np.array_equal(dataset.train.images, IMAGES)
    assert np.array_equal(dataset.train.labels, LABELS)
    assert np.array_equal(dataset.test.images, IMAGES[::-1])
    assert np.array_equal(dataset.test.labels, LABELS[::-1])
    assert dataset.train.images.dtype == np.uint8


def test_files_that_do_not_go_together(tmp_path):
    np.savez(tmp_path / "a.npz", images=IMAGES)
    np.savez(tmp_path / "b.npz", images=IMAGES / 255)
    with pytest.raises(ValueError, match="`images` must be of the same .*int8"):
        data.load(f"npz:{tmp_path}/*.npz")
    np.savez(tmp_path / "b.npz", images=IMAGES[:, 1:])
    with pytest.raises(ValueError, match=r"`images` .*\(5, 5, 3\)"):
        data.load(f"npz:{tmp_path}/*.npz")
    np.savez(tmp_path / "b.npz", images=IMAGES, labels=LABELS)
    with pytest.raises(ValueError, match="`labels` .*40 for 80"):
        data.load(f"npz:{tmp_path}/*.npz")
    with pytest.raises(FileNotFoundError, match="none_"):
        data.load(f"npz:{tmp_path}/none_*.npz")


def write_array(path):
    with open(path, "wb") as file:
        np.save(file, IMAGES)


def write_half(path):
    np.savez(path, images=IMAGES)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    "write",
    [
        write_array,
        write_half,
        lambda path: path.write_text("no arrays"),
        lambda path: path.write_bytes(b""),
    ],
)
def test_a_file_that_is_something_else(tmp_path, write):
    path = tmp_path / "other.npz"
    write(path)
    with pytest.raises(ValueError, match=r"other\.npz cannot be read"):
        data.load(f"npz:{path}")
