"""A dataset in parts is the dataset."""

import numpy as np
import pytest

from experiments import npz_files
from keras_contrastive import data
from tests.experiments import scripts

IMAGES = np.random.default_rng(0).integers(0, 256, (50, 8, 8, 3), "uint8")
LABELS = np.arange(50, dtype="int32") % 3


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize(("limit", "count"), [(8_000, 3), (5_000, 12)])
def test_parts_are_small_and_together_the_same(
    tmp_path, labelled, limit, count
):
    train, test = (
        data.Split(IMAGES[rows], LABELS[rows] if labelled else None)
        for rows in (slice(20, 50), slice(20))
    )
    names = ("cat", "dog", "owl") if labelled else None
    dataset = data.Dataset("pictures", train, test, names)
    paths = npz_files.write(dataset, tmp_path / "new", "a", limit)
    if labelled:
        assert len(paths) >= count
    assert paths == sorted(paths)
    assert max(path.stat().st_size for path in paths) <= limit
    loaded = data.load(f"npz:{tmp_path}/new/a_*.npz")
    assert loaded.class_names == names
    for found, wanted in ((loaded.train, train), (loaded.test, test)):
        assert found.images.dtype == np.uint8
        np.testing.assert_array_equal(found.images, wanted.images)
        np.testing.assert_array_equal(found.labels, wanted.labels)
    with pytest.raises(ValueError, match=r"a_\*.npz exists"):
        npz_files.write(dataset, tmp_path / "new", "a", limit)
    with pytest.raises(ValueError, match="An image has 192 bytes"):
        npz_files.write(dataset, tmp_path / "none", "a", 4_200)


def test_names_of_classes_are_checked(tmp_path):
    arrays = {"images": IMAGES, "labels": LABELS}
    np.savez(tmp_path / "a_0.npz", **arrays, class_names=["a", "b", "c"])
    np.savez(tmp_path / "a_1.npz", **arrays, class_names=["a", "b", "c"])
    loaded = data.load(f"npz:{tmp_path}/a_*.npz")
    assert loaded.class_names == ("a", "b", "c")
    np.savez(tmp_path / "a_1.npz", **arrays, class_names=["a", "b", "d"])
    with pytest.raises(ValueError, match="the same in all files"):
        data.load(f"npz:{tmp_path}/a_*.npz")
    with pytest.raises(ValueError, match="from 0 to 2, received 2"):
        np.savez(tmp_path / "b.npz", **arrays, class_names=["a", "b"])
        data.load(f"npz:{tmp_path}/b.npz")


def test_the_script_writes_what_the_others_read(tmp_path):
    process = scripts.run(
        "npz_parts", "--dataset=digits", "--part_mib=2",
        f"--output_dir={tmp_path}",
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [line.split()[0].rpartition("/")[2]
                     for line in process.stdout.splitlines()]  # fmt: skip
    assert len(names) >= 3
    loaded = data.load(f"npz:{tmp_path}/digits_*.npz")
    digits = data.load("digits")
    np.testing.assert_array_equal(loaded.train.images, digits.train.images)
    np.testing.assert_array_equal(loaded.test.labels, digits.test.labels)


def test_slips_are_refused():
    scripts.check_refusal("npz_parts", ["--part_mib=0"], "part_mib")
