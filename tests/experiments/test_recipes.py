"""Recipes name a script, and flags that it has."""

import re

import pytest

from tests.experiments import scripts

RECIPES = sorted((scripts.ROOT / "experiments" / "recipes").glob("*.txt"))


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.name)
def test_recipes_are_sound(recipe):
    """Every flag of a recipe exists; the unknown one is what is refused."""
    text = recipe.read_text()
    (script,) = re.findall(r"^# python -m experiments\.(\w+) ", text, re.M)
    assert f"--flagfile=experiments/recipes/{recipe.name}" in text
    process = scripts.run(script, f"--flagfile={recipe}", "--none", timeout=60)
    assert process.returncode == 2
    assert "'none'" in process.stderr
    # Read by itself, it goes together: only what is absent is asked for.
    process = scripts.run(
        script, f"--flagfile={recipe}", "--dataset=npz:nowhere", timeout=60
    )
    assert process.returncode == 2
    assert "nowhere does not exist" in process.stderr
