"""The study's script, run as a user runs it."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

from experiments.interrupts import undo_ignored
from tests.experiments import scripts

SETTINGS = [
    "unsplit",
    "split",
    "mixed",
    "one_subset",
    "split_random",
    "multi_policy",
]


def run(*arguments, **kwargs):
    return scripts.run("three_settings", *arguments, **kwargs)


@pytest.fixture(scope="module")
def flags(dataset):
    return [
        f"--dataset=npz:{dataset}",
        "--epochs=2",
        "--batch_size=20",
        "--num_subsets=5",
    ]


@pytest.fixture(scope="module")
def study(flags, tmp_path_factory):
    output_dir = tmp_path_factory.mktemp("study")
    process = run(
        *flags, f"--settings={','.join(SETTINGS)}", f"--output_dir={output_dir}"
    )
    assert process.returncode == 0, process.stderr
    assert str(output_dir / "report.html") in process.stdout
    return output_dir


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_run_leaves_a_folder_that_explains_itself(study, setting):
    folder = study / f"{setting}_seed0"
    record = json.loads((folder / "run.json").read_text())
    assert record["status"] == "finished"
    assert record["setting"] == setting
    assert record["flags"]["epochs"] == 2
    assert record["dataset"]["train"] == 130
    assert len(record["dataset"]["index_hash"]) >= 16
    assert "experiments.three_settings" in record["command"]
    assert record["images_per_second"] > 0
    with open(folder / "metrics.csv") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    for name in (
        *("loss", "learning_rate", "knn_accuracy", "clustering_accuracy"),
        *("spread", "effective_rank", "uniformity"),
    ):
        assert all(np.isfinite(float(row[name])) for row in rows), name
    results = json.loads((folder / "results.json").read_text())
    for kind in ("features", "projections"):
        for part in ("validation", "test"):
            assert 0 < results[kind][part]["clustering_accuracy"] <= 1
        assert 0 < results[kind]["test"]["linear_probe_accuracy"] <= 1
    for name in ("views.png", "curves.png", "embedding.png"):
        assert (folder / name).stat().st_size > 1000
    assert list((folder / "tensorboard").rglob("*tfevents*"))


def test_exported_encoder_takes_bytes_and_gives_features(study):
    encoder = keras.saving.load_model(study / "split_seed0" / "encoder.keras")
    images = np.zeros((3, 8, 8, 3), "uint8")
    assert encoder.predict(images, verbose=0).shape == (3, 128)


def test_all_settings_make_as_many_steps(study):
    """One subset has fewer images, and as many updates."""
    import h5py

    for setting in SETTINGS:
        path = study / f"{setting}_seed0" / "checkpoint-0002.weights.h5"
        with h5py.File(path) as file:
            steps = [
                np.asarray(value).item()
                for value in file["vars"].values()
                if value.shape == ()
            ]
        assert steps == [12], setting


def test_settings_differ_in_what_they_normalize(study):
    parameters = {
        setting: json.loads(
            (study / f"{setting}_seed0" / "run.json").read_text()
        )["parameters"]
        for setting in SETTINGS
    }
    assert parameters["unsplit"] == parameters["multi_policy"]
    # Moving statistics of five splits instead of one, two layers.
    more = 4 * 2 * (64 + 128)
    assert parameters["split"] == parameters["unsplit"] + more
    assert parameters["split_random"] == parameters["split"]
    assert parameters["mixed"] == parameters["split"] + more


def test_report_holds_every_setting_and_the_controls(study):
    report = (study / "report.md").read_text()
    for name in (*SETTINGS, "0.267", "0.37", "0.44"):
        assert name in report
    controls = json.loads((study / "controls.json").read_text())
    assert set(controls) == {"chance", "pixels", "pca", "untrained", "cost"}
    assert re.search(r"Time: .* s controls", report)
    # Colour tells the classes apart: pixels must, too.
    pixels = controls["pixels"]["test"]
    assert (
        pixels["clustering_accuracy"]
        > controls["chance"]["features"]["test"]["clustering_accuracy"]
    )


def test_tensorboard_holds_curves_and_views(study):
    from tensorboard.backend.event_processing import event_accumulator

    tags = {"scalars": set(), "images": set()}
    folder = study / "unsplit_seed0" / "tensorboard"
    for directory in {path.parent for path in folder.rglob("*tfevents*")}:
        events = event_accumulator.EventAccumulator(str(directory))
        events.Reload()
        for kind in tags:
            tags[kind].update(events.Tags()[kind])
    figures = ("loss", "learning_rate", "knn_accuracy", "clustering_accuracy")
    assert tags["scalars"] >= set(figures)
    assert tags["images"] == {"views"}


def test_what_is_finished_is_not_trained_again(study, flags):
    before = (study / "split_seed0" / "run.json").read_text()
    process = run(*flags, "--settings=split", f"--output_dir={study}")
    assert process.returncode == 0, process.stderr
    assert "already finished" in process.stdout
    assert (study / "split_seed0" / "run.json").read_text() == before


def test_ctrl_c_among_the_controls_leaves_the_runs(study, flags, tmp_path):
    """And no half of the controls, which would be taken for all of them."""
    shutil.copytree(study, tmp_path / "study")
    (tmp_path / "study" / "controls.json").unlink()
    arguments = [
        *flags,
        f"--settings={','.join(SETTINGS)}",
        f"--output_dir={tmp_path / 'study'}",
    ]
    code = f"""
import sys
from experiments import command_line, controls, study_flags, three_settings

def interrupt(*_, **__):
    raise KeyboardInterrupt

controls.measure = interrupt
sys.argv = ["three_settings", *{arguments!r}]
command_line.run(three_settings.main, "", check=study_flags.check)
"""
    process = subprocess.run(
        [sys.executable, "-c", code],
        cwd=scripts.ROOT,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 130, process.stderr
    assert "All runs are kept; the same command" in process.stderr
    assert "Traceback" not in process.stderr
    assert not (tmp_path / "study" / "controls.json").exists()
    assert run(*arguments).returncode == 0
    assert json.loads((tmp_path / "study" / "controls.json").read_text())


def test_runs_of_other_flags_are_not_mixed(study, flags):
    process = run(*flags, "--temperature=0.9", f"--output_dir={study}")
    assert process.returncode == 2
    assert "--temperature=0.2" in process.stderr
    assert "--overwrite" in process.stderr
    assert (study / "split_seed0" / "run.json").exists()


def test_ctrl_c_leaves_what_was_done_and_can_go_on(flags, tmp_path):
    arguments = [
        *flags[:1],
        "--batch_size=20",
        "--num_subsets=5",
        "--settings=unsplit",
        f"--output_dir={tmp_path}",
    ]
    folder = tmp_path / "unsplit_seed0"
    process = subprocess.Popen(
        scripts.command("three_settings", *arguments, "--epochs=1000"),
        cwd=scripts.ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        preexec_fn=undo_ignored,
    )
    try:
        end = time.monotonic() + 240
        # The first checkpoint, 0000, is of the start.
        while not list(folder.glob("checkpoint-*[1-9]*.weights.h5")):
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Interrupted" in errors and "checkpoint" in errors
    assert "Traceback" not in errors
    assert json.loads((folder / "run.json").read_text())["status"] == (
        "interrupted"
    )
    done = len(json.loads((folder / "metrics.json").read_text()))
    # What the message names is there, and is what metrics were written for;
    # it may have come between an epoch's metrics and its checkpoint.
    (kept,) = folder.glob("checkpoint-*.weights.h5")
    assert kept.name in errors
    assert int(kept.name[11:15]) in (done, done - 1)
    assert (tmp_path / "report.html").exists()


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("--epoch=3", "epochs"),
        ("--epochs=0", "0"),
        ("--epochs=many", "many"),
        ("--dataset=imagenet", "imagenet"),
        ("--dataset=folder:nowhere", "nowhere"),
        ("--settings=split,spilt", "spilt"),
        ("--settings=split,split", "twice"),
        ("--batch_size=33", "33"),
        ("--num_subsets=20", "20"),
        ("--weight_decay=0.1", "adam"),
        ("--method=supcon", "supcon"),
        ("--momentum=0.9", "moco"),
        ("--adversarial_epsilon=0.1", "unsplit"),
        ("--temperature=-1", "-1"),
        ("--learning_rate=nan", "nan"),
        ("--seeds=one", "one"),
        ("--data_dir=somewhere", "somewhere"),
        ("--image_size=64", "64"),
        ("--flagfile=nowhere.txt", "nowhere.txt"),
        ("split", "split"),
    ],
)
def test_refusals_come_at_once_in_one_sentence(argument, expected):
    scripts.check_refusal("three_settings", [argument], expected)


def test_flags_that_contradict_each_other_are_refused():
    flags = ["--settings=unsplit,multi_policy", "--subset_policies=same"]
    scripts.check_refusal("three_settings", flags, "multi_policy")


def test_a_run_that_diverges_does_not_end_the_study(flags, tmp_path):
    process = run(
        *flags,
        "--settings=mixed,unsplit",
        "--learning_rate=1e30",
        f"--output_dir={tmp_path}",
    )
    assert process.returncode == 4
    assert f"{tmp_path / 'mixed_seed0'} has diverged" in process.stderr
    assert "Traceback" not in process.stderr
    record = json.loads((tmp_path / "mixed_seed0/run.json").read_text())
    assert record["status"] == "diverged"
    metrics = json.loads((tmp_path / "unsplit_seed0/metrics.json").read_text())
    assert len(metrics) == 2
    report = (tmp_path / "report.md").read_text()
    assert "diverged" in report


def test_help_names_every_flag():
    process = run("--help", timeout=60)
    assert process.returncode == 0
    for name in ("dataset", "settings", "seeds", "temperature", "overwrite"):
        assert f"--{name}" in process.stdout


def test_data_that_is_not_there_is_refused(tmp_path):
    # Where nobody answers; else a machine with a network would download.
    nowhere = dict.fromkeys(("HTTPS_PROXY", "https_proxy"), "127.0.0.1:1")
    environment = {**os.environ, **nowhere, "NO_PROXY": "", "no_proxy": ""}
    process = run(
        "--dataset=cifar10",
        f"--data_dir={tmp_path}",
        f"--output_dir={tmp_path / 'out'}",
        env=environment,
        timeout=120,
    )
    assert process.returncode == 2, process.stdout
    assert str(tmp_path) in process.stderr
    assert "Traceback" not in process.stderr
    # Ten seconds are promised, most of which Keras would take to load.
    assert "Loading Keras" not in process.stdout
