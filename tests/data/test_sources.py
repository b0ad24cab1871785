"""Sources by name."""

import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from keras_contrastive import data

ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.parametrize(
    "name",
    ["cifar", "Digits", "", "folder:", "npz:", "npz", "digits:8", None, 5],
)
def test_unknown_names_get_the_list(name):
    with pytest.raises(ValueError) as error:
        data.load(name)
    message = str(error.value)
    assert f"received {name!r}" in message
    for known in ("cifar10", "digits", "folder:PATH", "npz:PATH"):
        assert known in message


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("digits", {"data_dir": "/somewhere"}, "`data_dir` .*'/somewhere'"),
        ("folder:/x", {"data_dir": "/y"}, "`data_dir` .*'folder:/x'"),
        ("digits", {"cache_dir": "/somewhere"}, "`cache_dir` .*'/somewhere'"),
        ("digits", {"image_size": 0}, "`image_size` .*0"),
        ("digits", {"image_size": 32.0}, "`image_size` .*32.0"),
        ("cifar10", {"image_size": 64}, "`image_size` .*64"),
    ],
)
def test_arguments_at_odds(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        data.load(name, **arguments)


def test_paths_may_start_at_home_and_hold_colons(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    np.savez(tmp_path / "a:b.npz", images=np.zeros((4, 2, 2, 3), np.uint8))
    dataset = data.load("npz:~/a:b.npz")
    assert len(dataset.train) == 3 and len(dataset.test) == 1


def test_nothing_needs_tensorflow_but_cifar10(tmp_path):
    # All of Keras that this folder uses is the class of its batches; with
    # nothing but it, another backend without TensorFlow is here too.
    (tmp_path / "folder").mkdir()
    for name in ("a", "b"):
        Image.new("RGB", (9, 9)).save(tmp_path / "folder" / f"{name}.png")
    np.savez(tmp_path / "a.npz", images=np.zeros((2, 4, 4, 3), np.uint8))
    code = f"""
import sys, types
sys.modules["tensorflow"] = sys.modules["tensorflow_datasets"] = None
keras = sys.modules["keras"] = types.ModuleType("keras")
keras.utils = types.SimpleNamespace(PyDataset=object)
from keras_contrastive import data
for name in ("digits", "folder:{tmp_path}/folder", "npz:{tmp_path}/a.npz"):
    images = data.load(name).train.images
    assert len(data.batches(images, 1)[0]["images"]) == 1
try:
    data.load("cifar10")
except ImportError as error:
    assert "'digits'" in str(error) and "tensorflow" in str(error)
else:
    sys.exit("no error")
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_images_are_found_and_cut_without_keras(tmp_path):
    (tmp_path / "cifar10/3.0.2").mkdir(parents=True)
    (tmp_path / "cifar10/3.0.2/dataset_info.json").touch()
    pixels = np.zeros((4, 8, 8, 3), "uint8")
    np.savez(tmp_path / "images.npz", images=pixels)
    for number, image in enumerate(pixels):
        Image.fromarray(image).save(tmp_path / f"{number}.png")
    code = (
        "import importlib.util, sys\n"
        "from keras_contrastive import data\n"
        "data.check_available('digits')\n"
        "if importlib.util.find_spec('tensorflow_datasets'):\n"
        f"    data.check_available('cifar10', {str(tmp_path)!r})\n"
        f"data.load('npz:{tmp_path}/images.npz')\n"
        f"data.load('folder:{tmp_path}')\n"
        "labels = data.load('digits').train.labels\n"
        "data.partition(labels, 10, seed=0)\n"
        "print({'keras', 'tensorflow', 'jax', 'torch'} & set(sys.modules))\n"
        "print(data.Batches.__mro__[1].__module__)"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    loaded, base = process.stdout.splitlines()
    assert loaded == "set()"
    assert base.startswith("keras.")


def test_what_is_not_in_the_package_is_no_attribute():
    assert not hasattr(data, "batchs")
