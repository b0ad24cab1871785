"""What is public is documented, and its examples run."""

import ast
import doctest
import importlib
import inspect
import pathlib
import pkgutil

import keras
import numpy as np
import pytest
from keras import ops

import keras_contrastive

PACKAGES = [
    name for name in keras_contrastive.__all__ if not name.startswith("_")
]
PUBLIC = [
    (package, name)
    for package in PACKAGES
    for name in importlib.import_module(f"keras_contrastive.{package}").__all__
]
FOLDER = pathlib.Path(keras_contrastive.__path__[0])


def public_object(package, name):
    module = importlib.import_module(f"keras_contrastive.{package}")
    return getattr(module, name)


def test_packages_are_those_of_the_folder():
    found = {
        each.name
        for each in pkgutil.iter_modules(keras_contrastive.__path__)
        if each.ispkg
    }
    assert found == set(PACKAGES)
    assert set(dir(keras_contrastive)) == {"__version__", *PACKAGES}


@pytest.mark.parametrize(("package", "name"), PUBLIC)
def test_docstring_has_its_sections(package, name):
    target = public_object(package, name)
    if inspect.ismodule(target):
        assert target.__doc__
        return
    if not callable(target):
        return
    docstring = inspect.getdoc(target)
    first = docstring.splitlines()[0]
    assert first.endswith((".", ":")) and len(first) <= 80, first
    parameters = [
        each
        for each in inspect.signature(target).parameters.values()
        if each.kind is not each.VAR_KEYWORD and each.name != "self"
    ]
    if parameters:
        assert "Args:" in docstring or "Attributes:" in docstring
        for each in parameters:
            assert f"{each.name}" in docstring, each.name
    if inspect.isfunction(target):
        assert "Returns:" in docstring or "Raises:" in docstring


def short_docstrings(source):
    """Public functions and classes that tell less than others need."""
    for node in ast.parse(source).body:
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            continue
        docstring = ast.get_docstring(node) or ""
        is_short = len(docstring.splitlines()) < 3
        is_silent = parameters_of(node) and "Args:" not in docstring
        if not node.name.startswith("_") and (is_short or is_silent):
            yield node.name


def parameters_of(node):
    """Names of what a function takes, or a class to make an object."""
    if isinstance(node, ast.ClassDef):
        made_by = [
            each
            for each in node.body
            if isinstance(each, ast.FunctionDef) and each.name == "__init__"
        ]
        return made_by and parameters_of(made_by[0])
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return [each.arg for each in every if each.arg != "self"]


@pytest.mark.parametrize(
    "path",
    sorted(FOLDER.rglob("*.py")),
    ids=lambda path: str(path.relative_to(FOLDER)),
)
def test_docstrings_of_every_file_are_whole(path):
    assert not list(short_docstrings(path.read_text()))


def test_a_short_docstring_is_seen():
    source = """
def silent(x):
    '''One.

    Two.
    '''
def short():
    '''One.'''
class Bare:
    def __init__(self, *, x):
        pass
def _private(x):
    pass
"""
    assert list(short_docstrings(source)) == ["silent", "short", "Bare"]


@pytest.mark.parametrize(("package", "name"), PUBLIC)
def test_examples_run(package, name):
    target = public_object(package, name)
    names = {"keras": keras, "np": np, "ops": ops}
    for each in PACKAGES:
        module = importlib.import_module(f"keras_contrastive.{each}")
        names[each] = module
        names.update({key: getattr(module, key) for key in module.__all__})
    # Of names that two packages have, an example means its own.
    module = names[package]
    names.update({key: getattr(module, key) for key in module.__all__})
    for test in doctest.DocTestFinder(recurse=False).find(target, name):
        test.globs = dict(names)
        result = doctest.DocTestRunner().run(test)
        assert result.failed == 0


def test_unknown_names_are_refused():
    with pytest.raises(AttributeError, match="nothing"):
        _ = keras_contrastive.nothing
