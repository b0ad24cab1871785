"""Runs a module where TensorFlow is not found, as where it is not installed.

    python -m tests.without_tensorflow MODULE ARGUMENTS

By None in sys.modules Keras would take it for imported, and PyTorch asks for
its place, which must not raise.
"""

import runpy
import sys
from importlib.machinery import PathFinder

find_spec = PathFinder.find_spec


def hide():
    """From now on TensorFlow is not found."""
    PathFinder.find_spec = classmethod(_find_others)


def _find_others(finder, name, path=None, target=None):
    return None if name == "tensorflow" else find_spec(name, path, target)


if __name__ == "__main__":
    hide()
    runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
