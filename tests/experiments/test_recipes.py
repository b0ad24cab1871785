"""Recipes name a script, flags that it has, and what was published."""

import json
import math
import re
import subprocess
import sys

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


# The crop's area, and jitter of brightness, contrast, saturation and hue.
DEMO_VIEWS = ([0.08, 1.0], [0.4, 0.4, 0.4, 0.1])
SUPCON_VIEWS = ([0.2, 1.0], [0.4, 0.4, 0.4, 0.1])
PUBLISHED = {
    "simclr_resnet18.txt": {
        "class": "SimCLR",
        "temperature": 0.5,
        "batch": 512,
        "steps": 97,
        "views": DEMO_VIEWS,
        "splits": [],
        "head": [
            "Dense512",
            "BatchNormalization",
            "ReLU",
            "Dense128",
            "BatchNormalization",
        ],
        "rate": 0.06 * 512 / 128,
        "weight_decay": 5e-4,
    },
    "moco_resnet18.txt": {
        "class": "MoCo",
        "temperature": 0.1,
        "momentum": 0.99,
        "queue_size": 4096,
        "symmetric": False,
        "batch": 512,
        "steps": 97,
        "views": DEMO_VIEWS,
        "splits": [8],
        "head": ["Dense128"],
        "rate": 0.06,
        "weight_decay": 5e-4,
    },
    "moco_symmetric_resnet18.txt": {
        "class": "MoCo",
        "temperature": 0.1,
        "momentum": 0.99,
        "queue_size": 4096,
        "symmetric": True,
        "batch": 512,
        "steps": 97,
        "views": DEMO_VIEWS,
        # Eight of 64 rows for each direction.
        "splits": [16],
        "head": ["Dense128"],
        "rate": 0.06,
        "weight_decay": 5e-4,
        # What the published loss is of ours.
        "loss_factor": 2,
    },
    "supcon_resnet18.txt": {
        "class": "SupCon",
        "temperature": 0.1,
        "batch": 1024,
        "steps": 48,
        "views": SUPCON_VIEWS,
        "splits": [],
        "head": ["Dense512", "ReLU", "Dense128"],
        "rate": 0.5,
        "weight_decay": 1e-4,
        "loss_factor": 0.1 / 0.07,
        "warmup": 10 / 200,
    },
}
STEPPED = "moco_v1.txt"


@pytest.fixture(scope="module")
def built():
    """What is built of the recipes, by their names."""
    names = [*PUBLISHED, STEPPED]
    process = subprocess.run(
        [
            *(sys.executable, "-m", "tests.experiments.describe_recipes"),
            *(f"experiments/recipes/{name}" for name in names),
        ],
        cwd=scripts.ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout.splitlines()[-1])


def test_every_recipe_of_resnet18_has_its_published_numbers():
    names = {path.name for path in RECIPES if "resnet18" in path.name}
    assert names == set(PUBLISHED)


@pytest.mark.parametrize("name", PUBLISHED)
def test_recipes_build_what_was_published(built, name):
    found, published = built[name], dict(PUBLISHED[name])
    area, jitter = published.pop("views")
    factor = published.pop("loss_factor", 1)
    warmup = published.pop("warmup", 0)
    rate, decay = published.pop("rate"), published.pop("weight_decay")
    for key, value in published.items():
        assert found[key] == value, key
    # All of CIFAR-10, for 200 epochs.
    assert (found["images"], found["epochs"]) == (50_000, 200)
    # ResNet-18 with the stem of CIFAR.
    assert found["weights"] == 11_168_832
    assert found["precision"] == "float32"
    views = found["views"]
    assert list(views["ResizedCrop"]["area"]) == area
    assert views["ResizedCrop"]["flip"] == 0.5
    strengths = ("brightness", "contrast", "saturation", "hue")
    found_jitter = [views["ColorJitter"][each] for each in strengths]
    assert found_jitter == pytest.approx(jitter)
    assert views["ColorJitter"]["probability"] == 0.8
    assert views["Grayscale"]["probability"] == 0.2
    assert views["GaussianBlur"]["probability"] == 0.0
    assert (found["optimizer"], found["optimizer_momentum"]) == ("SGD", 0.9)
    # A loss of a multiple makes the steps of as many times the rate, and of
    # so much less decay.
    assert found["weight_decay"] * factor == pytest.approx(decay)
    rates = [each / factor for each in found["rates"]]
    for share, each in zip((0, 0.05, 0.25, 0.5, 0.65, 0.85, 1), rates):
        past = (share - warmup) / (1 - warmup)
        expected = rate * (1 + math.cos(math.pi * past)) / 2
        if share < warmup:
            expected = rate * share / warmup
        assert each == pytest.approx(expected, rel=1e-3, abs=1e-6), share


def test_the_rate_of_moco_v1_falls_in_steps(built):
    found = built[STEPPED]["rates"]
    assert found == pytest.approx(
        [0.03, 0.03, 0.03, 0.03, 0.003, 0.0003, 0.0003]
    )


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.name)
def test_comments_name_recipes_and_flags_that_exist(recipe):
    text = recipe.read_text()
    for name in re.findall(r"\b(\w+\.txt)\b", text):
        assert (recipe.parent / name).exists(), name
    comments = " ".join(re.findall(r"^# ?(.*)", text, re.M))
    sources = (scripts.ROOT / "experiments").glob("*_flags.py")
    defined = " ".join(source.read_text() for source in sources)
    for flag in re.findall(r"--(\w+)", comments):
        assert flag == "flagfile" or f'"{flag}"' in defined, flag
