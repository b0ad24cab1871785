"""The scripts on JAX and on PyTorch, where TensorFlow cannot be imported."""

import importlib.util
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tests.experiments import scripts

TITLES = {"jax": "JAX", "torch": "PyTorch"}
INSTALLED = {name: importlib.util.find_spec(name) for name in TITLES}
# The backend, and flags of its own.
RUNS = {
    "jax": ("jax",),
    "jax_on_two": ("jax", "--strategy=data_parallel", "--logical_cpus=2"),
    "jax_by_twos": ("jax", "--steps_per_execution=2", "--checkpoint_every=2"),
    "jax_folder": ("jax", "--dataset=folder:FOLDER", "--image_size=8"),
    "torch": ("torch",),
}


def on(names):
    """Marks names of runs by whether their backend is there."""
    return [
        pytest.param(
            name,
            marks=pytest.mark.skipif(
                INSTALLED[RUNS[name][0]] is None,
                reason=f"{TITLES[RUNS[name][0]]} is not installed",
            ),
        )
        for name in names
    ]


def without_tensorflow(script, *arguments):
    """The command line of a script that shall not find TensorFlow."""
    module = f"experiments.{script}"
    runner = "tests.without_tensorflow"
    return [sys.executable, "-m", runner, module, *arguments]


def environment(backend):
    return {**os.environ, "KERAS_BACKEND": backend}


@pytest.fixture(scope="module")
def pictures(dataset, tmp_path_factory):
    """The images of the dataset, as files in class folders."""
    folder = tmp_path_factory.mktemp("pictures")
    arrays = np.load(dataset)
    for number, label in enumerate(arrays["labels"]):
        (folder / f"class_{label}").mkdir(exist_ok=True)
        picture = Image.fromarray(arrays["images"][number])
        picture.save(folder / f"class_{label}" / f"{number:03}.png")
    return folder


@pytest.fixture(scope="module")
def studies(dataset, pictures, tmp_path_factory):
    """The folder of one setting, by the name of a run; all at a time."""
    folder = tmp_path_factory.mktemp("backends")
    processes = {}
    for name, (backend, *flags) in RUNS.items():
        if INSTALLED[backend] is None:
            continue
        command = without_tensorflow(
            "three_settings",
            f"--dataset=npz:{dataset}",
            "--settings=mixed",
            "--num_subsets=5",
            "--batch_size=20",
            "--epochs=2",
            # Adam would make steps of the rounding noise in zero gradients.
            "--optimizer=sgd",
            "--learning_rate=0.05",
            *(flag.replace("FOLDER", str(pictures)) for flag in flags),
            f"--output_dir={folder / name}",
        )
        processes[name] = subprocess.Popen(
            command,
            cwd=scripts.ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment(backend),
        )
    for name, process in processes.items():
        output = process.communicate()[0]
        assert process.returncode == 0, f"{name}: {output[-3000:]}"
        assert "Loading Keras and its backend" in output
    return folder


def read(studies, name, file):
    return json.loads((studies / name / "mixed_seed0" / file).read_text())


@pytest.mark.parametrize("name", on(RUNS))
def test_a_study_is_whole(studies, name):
    assert len((studies / name / "report.html").read_text()) > 10_000
    results = read(studies, name, "results.json")
    for kind in ("features", "projections"):
        for figure in ("clustering_accuracy", "linear_probe_accuracy"):
            assert 0 < results[kind]["test"][figure] <= 1
    for record in read(studies, name, "metrics.json"):
        for figure in ("loss", "learning_rate", "knn_accuracy"):
            assert np.isfinite(record[figure])
    run = read(studies, name, "run.json")
    assert (run["status"], run["backend"]) == ("finished", RUNS[name][0])
    folder = studies / name / "mixed_seed0"
    assert list((folder / "tensorboard").glob("*tfevents*"))
    assert (folder / "encoder.keras").exists()


@pytest.mark.parametrize("name", on(["jax_on_two"]))
def test_two_devices_of_jax_train_as_one(studies, name):
    one, two = (read(studies, each, "metrics.json") for each in ("jax", name))
    for its, ours in zip(one, two, strict=True):
        assert its.keys() == ours.keys()
        assert ours["loss"] == pytest.approx(its["loss"], rel=1e-5)
    run = read(studies, name, "run.json")
    assert (run["strategy"], run["replicas"]) == ("data_parallel", 2)
    assert run["flags"] == read(studies, "jax", "run.json")["flags"]
    report = (studies / name / "report.html").read_text()
    assert "2, by data_parallel" in report


@pytest.mark.parametrize("name", on(["jax_by_twos"]))
def test_steps_of_one_call_are_the_same(studies, name):
    one, two = (read(studies, each, "metrics.json") for each in ("jax", name))
    for its, ours in zip(one, two, strict=True):
        assert ours["loss"] == pytest.approx(its["loss"], rel=1e-5)


@pytest.mark.parametrize(
    ("name", "flags", "sentence"),
    [
        *(
            pytest.param(*each.values, flags, sentence, marks=each.marks)
            for each in on(["jax"])
            for flags, sentence in (
                (["--dataset=cifar10"], "'cifar10' is read by tensorflow-data"),
                (["--strategy=mirrored"], "needs the backend tensorflow, rec"),
                (
                    ["--strategy=data_parallel", "--logical_cpus=3"],
                    "--batch_size=200 is that of all replicas together",
                ),
            )
        ),
        *(
            pytest.param(*each.values, flags, sentence, marks=each.marks)
            for each in on(["torch"])
            for flags, sentence in (
                (["--strategy=data_parallel"], "needs the backend jax, rec"),
                (["--steps_per_execution=2"], "must be 1 on PyTorch"),
            )
        ),
    ],
)
def test_what_a_backend_lacks_is_said(name, flags, sentence, tmp_path):
    process = subprocess.run(
        without_tensorflow(
            "pretrain", "--method=simclr", *flags,
            f"--output_dir={tmp_path / 'runs'}",
        ),
        cwd=scripts.ROOT,
        capture_output=True,
        text=True,
        env=environment(RUNS[name][0]),
    )  # fmt: skip
    assert process.returncode == 2, process.stderr[-2000:]
    refusal = process.stderr.strip().splitlines()[-1]
    assert refusal.startswith("Refused: ") and sentence in refusal
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("script", ["three_settings", "pretrain"])
def test_a_backend_that_is_not_installed_is_said(script, tmp_path):
    process = subprocess.run(
        without_tensorflow(script, f"--output_dir={tmp_path / 'runs'}"),
        cwd=scripts.ROOT,
        capture_output=True,
        text=True,
        env=environment("tensorflow"),
    )
    assert process.returncode == 2, process.stderr[-2000:]
    (refusal,) = process.stderr.strip().splitlines()
    assert refusal.startswith("Refused: TensorFlow is not installed; set KERAS")
    assert refusal.endswith("install TensorFlow.")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("flag", ["--batch_norm=local", "--candidates=local"])
def test_devices_of_jax_have_nothing_of_their_own(flag):
    scripts.check_refusal(
        "three_settings",
        ["--strategy=data_parallel", flag],
        f"{flag} goes with tf.distribute",
    )
