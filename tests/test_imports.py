"""Imports point one way: every file is held to the table of the design."""

import ast
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
PACKAGE = ROOT / "keras_contrastive"

# Folder -> what its files may import at the top, and what more inside
# functions. Names of sub-packages are those of keras_contrastive; of
# `distribution`, on which layers build, each file is named.
KERAS = {"keras", "numpy"}
ALLOWED = {
    "views": (KERAS, set()),
    "losses": (KERAS, set()),
    "optimizers": (KERAS, set()),
    "metrics": (KERAS | {"losses"}, set()),
    "layers": (KERAS | {"distribution.replicas"}, set()),
    "encoders": (KERAS | {"distribution.replicas", "layers"}, set()),
    "models": (
        KERAS
        | {
            "distribution.replicas",
            "layers",
            "losses",
            "metrics",
            # Only to be there when a compiled model is loaded.
            "optimizers",
            "views",
        },
        {"data"},
    ),
    "data": (
        KERAS,
        {"tensorflow", "tensorflow_datasets", "sklearn", "PIL"},
    ),
    "evaluation": (KERAS, {"scipy", "sklearn", "threadpoolctl"}),
    "distribution": (KERAS, {"tensorflow", "jax"}),
    "callbacks": (KERAS | {"evaluation"}, set()),
    "export": (KERAS | {"layers"}, set()),
}
# The files that are there to import a backend, its fused kernels and its
# gradient step, or to deal batches out to replicas.
SPECIAL_FILES = {
    "models/tensorflow_step.py": {"tensorflow", "distribution.workers"},
    "models/replicated.py": {
        "distribution.feed",
        "distribution.input_pipeline",
        "distribution.whole_batches",
    },
    "models/jax_step.py": {"jax"},
    "models/torch_step.py": {"torch"},
    "layers/fused_tensorflow.py": {"tensorflow"},
}


def imported_names(tree):
    """Yields (top-level name, whether inside a function) of each import."""
    inside = {
        child
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        for child in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] != "keras_contrastive" or len(parts) == 1:
                name = parts[0]
            elif parts[1] == "distribution":
                name = ".".join(parts[1:3])
            else:
                name = parts[1]
            yield name, node in inside


def violations(source, folder, more=frozenset()):
    top, nested = ALLOWED[folder]
    standard = sys.stdlib_module_names
    for name, is_inside in imported_names(ast.parse(source)):
        allowed = top | more | (nested if is_inside else set())
        is_own = name.split(".")[0] == folder
        if not is_own and name not in allowed and name not in standard:
            yield name


SOURCES = sorted(
    path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE
)


@pytest.mark.parametrize(
    "path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_a_file_imports_what_its_folder_may(path):
    name = path.relative_to(PACKAGE).as_posix()
    more = SPECIAL_FILES.get(name, set())
    source = path.read_text()
    assert not list(violations(source, name.split("/")[0], more))


def test_every_folder_is_in_the_table():
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert folders == set(ALLOWED)


def test_a_violation_is_seen():
    assert list(violations("import tensorflow", "views")) == ["tensorflow"]
    assert list(violations("def f():\n import sklearn", "losses"))
    assert list(
        violations("from keras_contrastive import models", "losses")
    ) == ["models"]
    assert list(
        violations("from keras_contrastive.distribution import feed", "layers")
    ) == ["distribution.feed"]


def test_only_experiments_read_flags_and_the_environment():
    for path in SOURCES:
        text = path.read_text()
        # It is told there where tensorflow-datasets keeps its data.
        text = text.replace('os.environ.get("TFDS_DATA_DIR"', "")
        for word in ("absl", "os.environ", "getenv"):
            assert word not in text, path


def test_importing_the_package_loads_nothing_heavy():
    code = (
        "import sys, keras_contrastive;"
        "heavy = {'keras', 'tensorflow', 'numpy', 'sklearn'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
