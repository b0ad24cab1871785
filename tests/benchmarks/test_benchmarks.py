"""Every benchmark runs, on little."""

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
LITTLE = {
    "views": ["--count=20", "--batch_size=10", "--size=8"],
    "train_step": ["--batch_size=20", "--size=8", "--steps=1"],
    "pretrain": ["--count=20", "--batch_size=10", "--size=8"],
    "replicas": [
        *("--batch_size=8", "--size=8", "--steps=1", "--devices=1,2"),
    ],
    "evaluation": ["--train=300", "--test=50", "--dim=8", "--part=knn"],
    "similarities": ["--smallest=30", "--largest=60", "--chunk_size=16"],
}


def test_every_benchmark_is_tried():
    names = {path.stem for path in (ROOT / "benchmarks").glob("*.py")}
    assert names - {"__init__", "measure", "peer", "peer_worker"} == set(LITTLE)


@pytest.mark.parametrize("name", LITTLE)
def test_benchmark_prints_its_table(name):
    process = subprocess.run(
        [
            sys.executable,
            "-m",
            f"benchmarks.{name}",
            "--runs=1",
            *LITTLE[name],
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    assert "| ours" in process.stdout
    assert "cores" in process.stdout
    if name in ("views", "train_step", "pretrain"):
        assert "peer_python names none" in process.stdout
