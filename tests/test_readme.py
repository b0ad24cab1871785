"""The Python of README and pages runs as it stands there."""

import importlib
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parent.parent
# Pages with examples, or with names of ours.
PAGES = ("README.md", "docs/coming_from.md")
ALL_PAGES = ("README.md", *(f"docs/{p.name}" for p in ROOT.glob("docs/*.md")))
TEXTS = {page: (ROOT / page).read_text() for page in ALL_PAGES}
PACKAGES = (
    *("callbacks", "data", "encoders", "evaluation", "export", "layers"),
    *("losses", "models", "optimizers", "views"),
)


def blocks(page):
    return re.findall(r"```python\n(.*?)```", TEXTS[page], re.DOTALL)


BLOCKS = blocks("README.md")


def test_first_example_is_twelve_lines():
    assert len([line for line in BLOCKS[0].splitlines() if line]) <= 12


@pytest.mark.parametrize("page", PAGES)
def test_examples_run_in_turn(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks(page):
        exec(compile(block, page, "exec"), names)
        assert 0.3 < names["accuracy"] <= 1
    printed = "kNN accuracy" in capsys.readouterr().out
    assert printed == ("print(" in "".join(blocks(page)))


def test_the_loss_of_two_views_is_the_mean_of_its_rows():
    names = {}
    exec(blocks("docs/coming_from.md")[1], names)
    assert tuple(names["rows"].shape) == (16,)
    assert float(names["value"]) == pytest.approx(
        sum(map(float, names["rows"])) / 16, rel=1e-5
    )


def test_first_example_takes_any_of_keras_applications(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ours = "encoder = encoders.two_conv()"
    assert ours in BLOCKS[0]
    theirs = BLOCKS[1]
    assert "keras.applications" in theirs
    short = BLOCKS[0].replace("epochs=10", "epochs=1")
    names = {}
    # Its imports first, then the encoder in the place of ours.
    head, rest = short.split(ours)
    exec(head + theirs + rest, names)
    # Seven steps teach a deep network nothing yet; it is the way that counts.
    assert len(names["encoder"].layers) > 80
    assert names["model"].predict(names["queries"].images).shape[1] == 256
    assert 0 < names["accuracy"] <= 1


@pytest.mark.parametrize("page", ALL_PAGES)
def test_links_lead_to_files(page):
    for target in re.findall(r"\]\(([^)#]+)\)", TEXTS[page]):
        if not target.startswith("http"):
            assert (ROOT / page).parent.joinpath(target).exists(), target


@pytest.mark.parametrize("page", ALL_PAGES)
def test_commands_name_scripts_and_recipes_that_exist(page):
    for module in re.findall(
        r"python -m ((?:experiments|benchmarks)[.\w]+)", TEXTS[page]
    ):
        path = ROOT / (module.replace(".", "/") + ".py")
        assert path.exists(), module
    for path in re.findall(r"--flagfile=(\S+\.txt)", TEXTS[page]):
        assert (ROOT / path).exists(), path
    for name in re.findall(r"`(\w+\.txt)`", TEXTS[page]):
        assert (ROOT / "experiments/recipes" / name).exists(), name


@pytest.mark.parametrize("page", PAGES)
def test_names_in_the_tables_exist(page):
    names = re.findall(rf"`({'|'.join(PACKAGES)})\.(\w+)", TEXTS[page])
    assert names
    for package, name in names:
        module = importlib.import_module(f"keras_contrastive.{package}")
        assert hasattr(module, name), f"{package}.{name}"
