"""The list for a GPU is what docs/gpu.md says, and its commands exist."""

import importlib.util
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tarfile

import pytest

from benchmarks import gpu_list
from benchmarks.gpu_list import COMMANDS
from benchmarks.gpu_list import Command

ROOT = pathlib.Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "gpu.md").read_text()
# How the page has them.
PLACES = ("npz:data/cifar10_*.npz", "runs/gpu")


def words_of(name):
    return COMMANDS[name].arguments(name, *PLACES, "python3")


def test_the_page_has_every_command_as_it_is():
    (block,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert block == gpu_list.listing(*PLACES) + "\n"
    rows = re.findall(r"^\| ((?:`\w+` ?)+)\|", PAGE, re.MULTILINE)
    assert re.findall(r"\w+", " ".join(rows)) == list(COMMANDS)


# JAX is imported sooner than TensorFlow.
QUICK = {**os.environ}
if importlib.util.find_spec("jax"):
    QUICK["KERAS_BACKEND"] = "jax"
MODULES = {}
for _name in COMMANDS:
    MODULES.setdefault(words_of(_name)[0], []).append(_name)


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"pytest"}))
def test_every_flag_of_its_commands_is_known(module):
    """They are read one after the other, and at last one that is not."""
    script = "tests.benchmarks.read_flags"
    lines = [words_of(name)[1:] for name in MODULES[module]]
    process = subprocess.run(
        [sys.executable, "-m", script, module, json.dumps(lines)],
        cwd=ROOT,
        env=QUICK,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr[-2000:]
    read = json.loads(process.stdout.splitlines()[-1])
    assert len(read) == len(lines)
    for name, values in zip(MODULES[module], read):
        if module == "experiments.pretrain" and "resnet18" in str(values):
            # All steps of an epoch are one call.
            steps = 50_000 // values["batch_size"]
            assert values["steps_per_execution"] == steps, name


def test_folders_of_tests_exist():
    for name in MODULES["pytest"]:
        paths = [w for w in words_of(name) if w.startswith("tests/")]
        assert paths or name == "tests_on_tensorflow"
        for path in paths:
            assert (ROOT / path).is_dir()


def test_files_get_the_defaults_of_cifar10():
    code = (
        "import json; from experiments import methods, training_flags as t;"
        "print(json.dumps([t.DEFAULTS['cifar10'],"
        "methods.simclr_temperature('cifar10')]))"
    )
    printed = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT)
    defaults, temperature = json.loads(printed)
    for name in ("three_settings", "methods_simclr", "methods"):
        words = words_of(name)
        assert f"--batch_size={defaults['batch_size']}" in words
        assert f"--learning_rate={defaults['learning_rate']}" in words
        epochs = defaults["epochs"] if name == "three_settings" else 5
        assert f"--epochs={epochs}" in words
        assert (f"--temperature={temperature}" in words) == (name != "methods")


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a module of a line or some, and gives what is left of it."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(gpu_list, "PATIENCE", 1)
    results = tmp_path / "results"

    def write_and_run(code, seconds=60.0):
        (tmp_path / "tried.py").write_text(code)
        monkeypatch.setitem(COMMANDS, "trial", Command("tried --a=DATA"))
        runs = tmp_path / "runs"
        ended = gpu_list.run("trial", "npz:x", runs, results, seconds)
        return ended, (results / "trial.txt").read_text()

    return write_and_run


def test_what_is_printed_is_kept(run, capfd):
    code = "import os, sys; print(sys.argv[1], os.environ['KERAS_BACKEND'])"
    ended, log = run(code)
    assert ended
    assert "\n--a=npz:x jax\n==> trial has ended" in log
    assert capfd.readouterr().out == log
    ended, log = run("import sys; sys.exit('No such thing.')")
    assert not ended
    assert "\nNo such thing.\n==> trial has failed with exit code 1" in log
    # The first is still there.
    assert log.count("$ ") == 2


@pytest.fixture
def background():
    """Ignores interrupts, as what a shell starts in the background does."""
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, handler)


def test_it_is_interrupted_in_time(run, background):
    ended, log = run(
        "import time\ntry:\n  time.sleep(60)\n"
        "except KeyboardInterrupt:\n  print('last words')\n  raise",
        # Python has started by then on a busy machine, too.
        seconds=10.0,
    )
    assert not ended
    assert "last words" in log and "trial was interrupted; the same" in log


def test_what_does_not_heed_is_killed(run):
    ended, log = run(
        "import signal, time\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\ntime.sleep(60)",
        seconds=1.0,
    )
    assert not ended
    assert "trial was interrupted" in log


def test_small_files_of_runs_come_along(run, tmp_path):
    folder = tmp_path / "runs" / "trial" / "simclr_seed0"
    folder.mkdir(parents=True)
    for name in ("run.json", "metrics.csv", "model.keras", "a.weights.h5"):
        (folder / name).write_text("0")
    (folder.parent / "methods.md").write_text("0")
    (folder / "huge.json").write_bytes(bytes(gpu_list.SMALL_BYTES + 1))
    assert run("")[0]
    with tarfile.open(tmp_path / "results" / "trial.tar.gz") as archive:
        assert archive.getnames() == [
            "trial/methods.md",
            "trial/simclr_seed0/metrics.csv",
            "trial/simclr_seed0/run.json",
        ]


def test_names_that_are_not_in_the_list_are_refused():
    process = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu_list", "views", "simclr"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 2
    assert "No simclr; there is" in process.stderr
