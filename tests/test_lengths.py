"""One concept a file, one thought a function: both are counted."""

import ast
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parent.parent
FILE_LINES = 300
FUNCTION_LINES = 40

SOURCES = [
    path
    for folder in ("keras_contrastive", "experiments", "benchmarks")
    for path in sorted((ROOT / folder).rglob("*.py"))
]


def lines_without_docstrings(node, source_lines):
    """Lines of a module or function that are neither docstring nor blank."""
    skipped = set()
    for child in ast.walk(node):
        if isinstance(
            child, (ast.Module, ast.ClassDef, ast.FunctionDef)
        ) and ast.get_docstring(child):
            text = child.body[0]
            skipped.update(range(text.lineno, text.end_lineno + 1))
    first = getattr(node, "lineno", 1)
    last = getattr(node, "end_lineno", len(source_lines))
    return sum(
        number not in skipped and bool(source_lines[number - 1].strip())
        for number in range(first, last + 1)
    )


def too_long(source):
    tree = ast.parse(source)
    lines = source.splitlines()
    if lines_without_docstrings(tree, lines) > FILE_LINES:
        yield "the file"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            body = lines_without_docstrings(node, lines)
            # The signature is not the body.
            body -= node.body[0].lineno - node.lineno
            if body > FUNCTION_LINES:
                yield f"{node.name}: {body} lines"


@pytest.mark.parametrize(
    "path", SOURCES, ids=lambda path: str(path.relative_to(ROOT))
)
def test_files_and_functions_are_short(path):
    assert not list(too_long(path.read_text()))


def test_a_long_function_is_seen():
    long = "def f():\n" + "    x = 1\n" * (FUNCTION_LINES + 1)
    assert list(too_long(long)) == [f"f: {FUNCTION_LINES + 1} lines"]
    assert list(too_long("x = 1\n" * (FILE_LINES + 1))) == ["the file"]
