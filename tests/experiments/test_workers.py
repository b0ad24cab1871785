"""Workers that are lost, a run that goes on without its files, and three."""

import json
import os
import pathlib
import signal
import subprocess
import time

import pytest

from experiments.interrupts import undo_ignored
from tests.experiments import scripts

pytestmark = pytest.mark.skipif(
    not pathlib.Path("/proc/self/stat").exists(), reason="looks at /proc"
)
# Enough for a signal to come between two of them.
EPOCHS = 30


@pytest.fixture(scope="module")
def flags(dataset):
    return [
        f"--dataset=npz:{dataset}",
        f"--epochs={EPOCHS}",
        "--batch_size=30",
        "--num_subsets=5",
        "--settings=mixed",
        "--monitor_every=0",
        # Adam would make steps of rounding noise.
        "--optimizer=sgd",
        "--learning_rate=0.05",
    ]


@pytest.fixture(scope="module")
def expected(flags, tmp_path_factory):
    """The losses of one device."""
    folder = tmp_path_factory.mktemp("one")
    process = scripts.run("three_settings", *flags, f"--output_dir={folder}")
    assert process.returncode == 0, process.stderr
    return losses(folder)


def losses(folder):
    records = (folder / "mixed_seed0" / "metrics.json").read_text()
    return [each["loss"] for each in json.loads(records)]


def check_losses(folder, expected):
    """As on one device, until rounding has had a hundred steps to grow."""
    found = losses(folder)
    assert found[:12] == pytest.approx(expected[:12], rel=1e-4)
    assert found == pytest.approx(expected, rel=1e-2)


def start(workers, flags, folder):
    """Starts local workers by the launcher."""
    return subprocess.Popen(
        [
            *scripts.command("launch", f"--workers={workers}", "--"),
            *scripts.command("three_settings", *flags),
            "--strategy=multi_worker",
            f"--output_dir={folder}",
        ],
        cwd=scripts.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def start_without_launcher(flags, own_flags):
    """Starts two workers that nobody watches over."""
    from experiments import launch

    command = scripts.command("three_settings", *flags)
    return [
        subprocess.Popen(
            [*command, "--strategy=multi_worker", *own_flags(index)],
            cwd=scripts.ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for index, environment in enumerate(launch.environments(2))
    ]


def children(process):
    """The processes that a process has started, oldest first."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == process.pid:
            found.append(int(path.parent.name))
    return sorted(found)


def wait_for(path, process):
    while not list(path.parent.glob(path.name)):
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)


@pytest.mark.parametrize("killed", [0, 1])
def test_after_a_loss_the_same_command_goes_on(
    flags, expected, tmp_path, killed
):
    run = tmp_path / "mixed_seed0"
    process = start(2, flags, tmp_path)
    wait_for(run / "checkpoint-0002.*", process)
    os.kill(children(process)[killed], signal.SIGKILL)
    begin = time.monotonic()
    output = process.communicate()[0]
    assert time.monotonic() - begin < 60
    assert process.returncode == 1
    assert f"Worker {killed} was killed by SIGKILL" in output
    assert "the same command, without --overwrite, goes on" in output
    kept = len(losses(tmp_path))
    assert 2 <= kept < EPOCHS

    process = start(2, flags, tmp_path)
    output = process.communicate()[0]
    assert process.returncode == 0, output
    # Epochs that were done are not done again.
    assert "Epoch 1/" not in output
    check_losses(tmp_path, expected)
    assert (tmp_path / "report.html").exists()


def test_a_run_that_lacks_only_its_evaluation_is_finished(
    flags, expected, tmp_path
):
    assert start(2, flags, tmp_path).wait() == 0
    path = tmp_path / "mixed_seed0" / "run.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "status": "interrupted"}))
    process = start(2, flags, tmp_path)
    output = process.communicate()[0]
    assert process.returncode == 0, output
    assert "Epoch" not in output
    assert json.loads(path.read_text())["status"] == "finished"
    check_losses(tmp_path, expected)


def test_a_worker_with_other_flags_is_refused(flags, tmp_path):
    processes = start_without_launcher(
        flags, lambda index: [f"--seeds={index}", f"--output_dir={tmp_path}"]
    )
    errors = processes[1].communicate(timeout=120)[1]
    assert processes[1].returncode == 2
    assert "images or flags are others than the chief's" in errors
    errors = processes[0].communicate(timeout=120)[1]
    assert processes[0].returncode == 3, errors
    assert "UnavailableError" not in errors


@pytest.mark.parametrize("script", ["pretrain", "finetune"])
def test_other_scripts_run_on_workers(dataset, tmp_path, script):
    own = {
        "pretrain": ["--method=moco,cross_entropy", "--imbalance=2"],
        "finetune": [f"--run={tmp_path / 'one' / 'simclr_seed0'}"],
    }[script]
    shared = [
        f"--dataset=npz:{dataset}", "--epochs=1", "--batch_size=16"
    ]  # fmt: skip
    if script == "finetune":
        done = scripts.run(
            "pretrain", *shared, f"--output_dir={tmp_path / 'one'}"
        )
        assert done.returncode == 0, done.stderr
        own.append("--fractions=1.0")
    process = subprocess.run(
        [
            *scripts.command("launch", "--"),
            *scripts.command(script, *shared, *own),
            "--strategy=multi_worker",
            f"--output_dir={tmp_path / 'out'}",
        ],
        cwd=scripts.ROOT,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    assert "Done in" in process.stdout
    assert "Traceback" not in process.stdout
    records = list((tmp_path / "out").glob("*/run.json"))
    assert len(records) >= 2
    for path in records:
        assert json.loads(path.read_text())["status"] == "finished"


@pytest.mark.parametrize(
    "blow", [signal.SIGKILL, signal.SIGSTOP], ids=["dies", "hangs"]
)
def test_without_a_launcher_a_worker_notices_the_loss(flags, tmp_path, blow):
    chief, other = start_without_launcher(
        flags, lambda index: [f"--output_dir={tmp_path / str(index)}"]
    )
    run = tmp_path / "0" / "mixed_seed0"
    wait_for(run / "checkpoint-0002.*", chief)
    other.send_signal(blow)
    errors = chief.communicate(timeout=120)[1]
    other.kill()
    other.communicate()
    assert chief.returncode == 3, errors
    assert "Another worker was lost." in errors
    assert "goes on from there" in errors
    assert "Traceback" not in errors
    assert json.loads((run / "run.json").read_text())["status"] == "interrupted"
    # The other one never wrote to its folder.
    assert not (tmp_path / "1").exists()


def test_three_workers_give_the_losses_of_one_device(flags, expected, tmp_path):
    process = start(3, flags, tmp_path)
    output = process.communicate()[0]
    assert process.returncode == 0, output
    check_losses(tmp_path, expected)
    record = json.loads((tmp_path / "mixed_seed0" / "run.json").read_text())
    assert (record["replicas"], record["workers"]) == (3, 3)


def test_a_checkpoint_of_one_device_goes_on_on_two_workers(
    flags, expected, tmp_path
):
    process = subprocess.Popen(
        [
            *scripts.command("three_settings", *flags),
            f"--output_dir={tmp_path}",
        ],
        cwd=scripts.ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=undo_ignored,
    )
    wait_for(tmp_path / "mixed_seed0" / "checkpoint-0002.*", process)
    process.send_signal(signal.SIGINT)
    assert process.wait() == 130
    kept = len(losses(tmp_path))
    assert kept < EPOCHS
    process = start(2, flags, tmp_path)
    output = process.communicate()[0]
    assert process.returncode == 0, output
    assert "Epoch 1/" not in output
    check_losses(tmp_path, expected)
