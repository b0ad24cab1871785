"""Which files of a folder count, and as what."""

import logging

import pytest

from keras_contrastive.data.image_files import find_parts


def make(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def listed(files, root):
    paths = [path[len(str(root)) + 1 :] for path in files.paths]
    return paths, files.class_of


def test_class_folders(tmp_path):
    make(tmp_path, "dog/2.png", "dog/1.JPEG", "cat/deep/er/9.gif", "cat/8.bmp")
    train, test = find_parts(tmp_path)
    assert test is None
    assert listed(train, tmp_path) == (
        ["cat/8.bmp", "cat/deep/er/9.gif", "dog/1.JPEG", "dog/2.png"],
        ["cat", "cat", "dog", "dog"],
    )


def test_a_folder_without_classes(tmp_path):
    make(tmp_path, "b.png", "a.jpg", "without_ending")
    train, _ = find_parts(tmp_path)
    assert listed(train, tmp_path) == (
        ["a.jpg", "b.png", "without_ending"],
        None,
    )


def test_what_does_not_count(tmp_path):
    make(
        tmp_path,
        "cat/1.png",
        "cat/.hidden.png",
        "cat/.thumbnails/1.png",
        "cat/labels.txt",
        "cat/1.png.md5",
        ".keras_contrastive/32px/1.png",
        "empty/readme.md",
    )
    (tmp_path / "cat" / "lost.png").symlink_to(tmp_path / "gone.png")
    train, _ = find_parts(tmp_path)
    assert listed(train, tmp_path) == (["cat/1.png"], ["cat"])


def test_images_beside_class_folders_are_left_out(tmp_path, caplog):
    make(tmp_path, "cat/1.png", "2.png", "3.png")
    with caplog.at_level(logging.WARNING):
        train, _ = find_parts(tmp_path)
    assert listed(train, tmp_path)[0] == ["cat/1.png"]
    assert "2 images beside the class folders" in caplog.text


@pytest.mark.parametrize("name", ["test", "val", "validation"])
def test_parts(tmp_path, name):
    make(tmp_path, "train/cat/1.png", "train/dog/2.png", f"{name}/3.png")
    train, test = find_parts(tmp_path)
    assert listed(train, tmp_path) == (
        ["train/cat/1.png", "train/dog/2.png"],
        ["cat", "dog"],
    )
    assert listed(test, tmp_path) == ([f"{name}/3.png"], None)


def test_test_comes_before_val(tmp_path, caplog):
    make(tmp_path, "train/1.png", "val/2.png", "test/3.png")
    with caplog.at_level(logging.WARNING):
        _, test = find_parts(tmp_path)
    assert listed(test, tmp_path)[0] == ["test/3.png"]
    assert "'val' left out" in caplog.text


def test_train_alone_is_one_part(tmp_path):
    make(tmp_path, "train/cat/1.png", "train/dog/2.png")
    train, test = find_parts(tmp_path)
    assert test is None and train.class_of == ["cat", "dog"]


def test_train_may_be_a_class(tmp_path):
    make(tmp_path, "train/1.png", "plane/2.png")
    train, test = find_parts(tmp_path)
    assert test is None and train.class_of == ["plane", "train"]


@pytest.mark.parametrize("names", [[], ["notes.txt"], ["cat/notes.txt"]])
def test_no_images(tmp_path, names):
    make(tmp_path, *names)
    with pytest.raises(ValueError, match=f"{tmp_path} must hold images"):
        find_parts(tmp_path)


def test_a_part_without_images(tmp_path):
    make(tmp_path, "train/1.png", "test/notes.txt")
    with pytest.raises(ValueError, match=f"{tmp_path}/test must hold images"):
        find_parts(tmp_path)
