"""Every benchmark runs, on little."""

import importlib.util
import os
import pathlib
import re
import subprocess
import sys

import keras
import pytest

ROOT = pathlib.Path(__file__).parents[2]
LITTLE = {
    "views": ["--count=20", "--batch_size=10", "--size=8"],
    "train_step": ["--batch_size=20", "--size=8", "--steps=1"],
    "pretrain": ["--count=20", "--batch_size=10", "--size=8"],
    "replicas": [
        *("--batch_size=8", "--size=8", "--steps=1", "--devices=1,2"),
    ],
    "image_folder": ["--files=20", "--image_size=8"],
    "evaluation": ["--train=300", "--test=50", "--dim=8"],
    "on_device": [
        *("--count=20", "--batch_size=10", "--size=8"),
        "--steps_per_execution=2",
    ],
    "step_parts": ["--batch_size=10", "--size=8", "--steps=2"],
    "similarities": ["--smallest=30", "--largest=60", "--chunk_size=16"],
}
OF_TENSORFLOW = {"replicas", "step_parts"}
# What they share.
PARTS = {
    *("__init__", "device", "measure", "operations", "peer", "peer_worker"),
    *("training", "timeline", "gpu_list"),
}


def output_of(name, *more, backend=None):
    backend = backend or keras.backend.backend()
    process = subprocess.run(
        [
            sys.executable,
            "-m",
            f"benchmarks.{name}",
            *([] if name == "image_folder" else ["--runs=1"]),
            *LITTLE[name],
            *more,
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "KERAS_BACKEND": backend,
            # A GPU would be refused.
            **({"CUDA_VISIBLE_DEVICES": "-1"} if name == "step_parts" else {}),
        },
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


def test_every_benchmark_is_tried():
    names = {path.stem for path in (ROOT / "benchmarks").glob("*.py")}
    assert names - PARTS == set(LITTLE)


@pytest.mark.parametrize("name", LITTLE)
def test_benchmark_prints_its_table(name):
    if name in OF_TENSORFLOW and keras.backend.backend() != "tensorflow":
        pytest.skip("It is about tf.distribute, or TensorFlow's profiler.")
    printed = output_of(name)
    if name == "step_parts":
        # Each is found by the names that TensorFlow gives.
        found = dict(re.findall(r"^\| (.*?) \| ([\d.]+) \|", printed, re.M))
        assert len(found) == 9
        small = {"update", "between operations"}
        assert all(float(found[part]) > 0 for part in found.keys() - small)
    assert "| ours" in printed
    assert "cores" in printed
    if name in ("views", "train_step", "pretrain"):
        assert "peer_python names none" in printed


def test_a_peer_that_cannot_be_run_is_refused(tmp_path):
    process = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.views", *LITTLE["views"]),
            f"--peer_python={tmp_path / 'nowhere'}",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 1
    assert "nowhere cannot be run; name the python of" in process.stderr
    assert "Traceback" not in process.stderr


@pytest.mark.parametrize(
    ("backend", "name", "more"),
    [
        ("jax", "pretrain", ["--steps_per_execution=2", "--data_on_device"]),
        (
            "torch",
            "pretrain",
            [
                *("--encoder=resnet18", "--precision=mixed_bfloat16"),
                *("--count=4", "--batch_size=4", "--splits=2"),
            ],
        ),
        ("torch", "train_step", []),
        ("torch", "views", []),
    ],
)
def test_other_backends(backend, name, more):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    printed = output_of(name, *more, backend=backend)
    assert f"{backend} on " in printed
    assert "| ours" in printed


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (["tests.without_tensorflow", "benchmarks.replicas"], "be imported"),
        (["benchmarks.replicas"], "imported|backend is jax"),
    ],
)
def test_replicas_without_tensorflow_are_refused(script, said):
    pytest.importorskip("jax")
    process = subprocess.run(
        [sys.executable, "-m", *script],
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
    )
    assert process.returncode == 1
    assert "Traceback" not in process.stderr
    last = process.stderr.strip().splitlines()[-1]
    assert re.search(f"need TensorFlow, and .*({said})", last)
