"""The README's Python runs as it stands there."""

import importlib
import pathlib
import re

ROOT = pathlib.Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_first_example_is_twelve_lines():
    assert len([line for line in BLOCKS[0].splitlines() if line]) <= 12


def test_examples_run_one_after_the_other(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in BLOCKS:
        exec(compile(block, "README.md", "exec"), names)
        assert 0.3 < names["accuracy"] <= 1
    assert "kNN accuracy" in capsys.readouterr().out


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


def test_links_lead_to_files():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


def test_commands_name_scripts_that_exist():
    commands = re.findall(
        r"python -m ((?:experiments|benchmarks)[.\w]+)", README
    )
    assert commands
    for module in commands:
        path = ROOT / (module.replace(".", "/") + ".py")
        assert path.exists(), module


def test_names_in_the_tables_exist():
    for package, name in re.findall(
        r"`(losses|layers|models|encoders|data|views|evaluation|callbacks|export)\.(\w+)",
        README,
    ):
        module = importlib.import_module(f"keras_contrastive.{package}")
        assert hasattr(module, name), f"{package}.{name}"
