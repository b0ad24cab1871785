"""The wheel holds the package, all of it and nothing else, and works."""

import email
import pathlib
import shutil
import subprocess
import sys
import zipfile

import pytest

import keras_contrastive

ROOT = pathlib.Path(__file__).parent.parent

USE = """
import keras_contrastive
import numpy as np
from keras_contrastive import data, encoders, models

model = models.SimCLR(encoders.two_conv(channels=(4, 8)))
model.compile(optimizer="adam")
images = data.load("digits").train.images[:40]
model.fit(images, batch_size=20, verbose=0)
print(keras_contrastive.__file__, model.predict(images, verbose=0).shape)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    # A copy, so that neither what an earlier build left is taken along nor
    # anything is left here.
    source = folder / "source"
    shutil.copytree(ROOT / "keras_contrastive", source / "keras_contrastive")
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    # Without isolation: what builds it comes with the test extras, and
    # nothing is downloaded.
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation"]
    subprocess.run(
        [*command, "--outdir", folder, source], check=True, capture_output=True
    )
    (path,) = folder.glob("*.whl")
    return path


def test_it_holds_the_package_and_nothing_else(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {name for name in names if ".dist-info/" not in name}
    expected = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "keras_contrastive").rglob("*.py")
    }
    assert modules == expected
    assert any(name.endswith("LICENSE") for name in names)


def test_its_metadata(wheel):
    files = zipfile.ZipFile(wheel)
    (name,) = [each for each in files.namelist() if each.endswith("METADATA")]
    metadata = email.message_from_bytes(files.read(name))
    assert metadata["Name"] == "keras_contrastive"
    assert metadata["Version"] == keras_contrastive.__version__
    assert metadata["License"] == "Apache-2.0"
    assert metadata["Requires-Python"] == "<3.14,>=3.11"
    required = {
        each.partition(">=")[0]
        for each in metadata.get_all("Requires-Dist")
        if "extra ==" not in each
    }
    assert {"keras", "tensorflow", "importlib_resources"} <= required
    assert set(metadata.get_all("Provides-Extra")) == {"gpu", "test"}


def test_it_works_away_from_the_checkout(wheel, tmp_path):
    place = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(place)
    done = subprocess.run(
        [sys.executable, "-c", USE],
        cwd=tmp_path,
        env={"PYTHONPATH": str(place), "TF_CPP_MIN_LOG_LEVEL": "2"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [
        str(place / "keras_contrastive" / "__init__.py"), "(40,", "8)"
    ]  # fmt: skip
