import json
import os

from benchmarks import measure
from experiments import machine


def test_gpus_are_named(tmp_path, monkeypatch):
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'NVIDIA X1, 580.1'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert machine.describe()["gpus"] == ["NVIDIA X1, driver 580.1"]
    assert measure.machine().startswith("NVIDIA X1, driver 580.1, ")


def test_what_is_known_can_be_written(monkeypatch):
    monkeypatch.setenv("PATH", "")
    found = machine.describe()
    assert found["gpus"] == []
    assert found["cores"] >= 1 and found["processor"]
    assert json.loads(json.dumps(found)) == found
