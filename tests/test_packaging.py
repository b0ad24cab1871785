"""The wheel holds the package, all of it and nothing else, and works."""

import ast
import configparser
import email
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

import keras_contrastive

ROOT = pathlib.Path(__file__).parent.parent

# Where a package has another name than its module.
MODULES = {
    "absl-py": "absl",
    "pillow": "PIL",
    "scikit-learn": "sklearn",
    "tensorflow-datasets": "tensorflow_datasets",
}
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
    # nothing is downloaded. Of the source distribution, as users build it.
    command = [sys.executable, "-m", "build", "--no-isolation"]
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


@pytest.fixture(scope="module")
def metadata(wheel):
    files = zipfile.ZipFile(wheel)
    (name,) = [each for each in files.namelist() if each.endswith("METADATA")]
    return email.message_from_bytes(files.read(name))


def required_by(metadata):
    """Names of the packages that are installed with it."""
    return {
        each.partition(">=")[0]
        for each in metadata.get_all("Requires-Dist")
        if "extra ==" not in each
    }


def test_its_metadata(metadata):
    assert metadata["Name"] == "keras_contrastive"
    assert metadata["Version"] == keras_contrastive.__version__
    assert metadata["License"] == "Apache-2.0"
    assert metadata["Requires-Python"] == "<3.14,>=3.11"
    required = required_by(metadata)
    assert {"keras", "tensorflow", "importlib_resources"} <= required
    assert set(metadata.get_all("Provides-Extra")) == {"gpu", "test"}


def test_whatever_is_imported_is_required(metadata):
    """So that an empty environment gets it."""
    required = {MODULES.get(each, each) for each in required_by(metadata)}
    imported = set()
    for folder in ("keras_contrastive", "experiments"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    imported |= {each.name for each in node.names}
                elif isinstance(node, ast.ImportFrom):
                    imported.add(node.module)
    imported = {each.partition(".")[0] for each in imported}
    own = {"keras_contrastive", "experiments", *sys.stdlib_module_names}
    # Other backends, for who has chosen them.
    assert imported - own - {"jax", "torch"} <= required


@pytest.mark.parametrize("version", [(3, 10), (3, 11), (3, 13), (3, 14)])
def test_make_refuses_the_pythons_that_the_wheel_does(version):
    makefile = (ROOT / "Makefile").read_text()
    (program,) = re.findall(
        r"@\$\(PYTHON\) -c '(import sys.*)'$", makefile, re.M
    )
    pretended = f"import sys; sys.version_info = {(*version, 0)}; "
    done = subprocess.run(
        [sys.executable, "-c", pretended + program],
        capture_output=True,
        text=True,
    )
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    least, above = re.fullmatch(
        r">=3\.(\d+),<3\.(\d+)", config["options"]["python_requires"]
    ).groups()
    taken = int(least) <= version[1] < int(above)
    assert (done.returncode == 0) == taken
    if not taken:
        assert f"Python 3.{least} to 3.{int(above) - 1}" in done.stderr


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
