"""The study gives the same on one device, on several, and on two workers."""

import json
import subprocess

import numpy as np
import pytest

from experiments import script
from tests.experiments import scripts

SETTINGS = ("unsplit", "split", "mixed")
# Adam would make steps of the rounding noise in gradients that are zero.
FLAGS = (
    "--epochs=2",
    "--optimizer=sgd",
    "--learning_rate=0.05",
    # That monitors agree, the tests of the methods show.
    "--monitor_every=0",
)
STRATEGIES = {
    "one": (),
    "two": ("--strategy=mirrored", "--logical_cpus=2"),
    "four": ("--strategy=mirrored", "--logical_cpus=4"),
    "workers": ("--strategy=multi_worker",),
}


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    """The folder of the study's three settings on digits, by strategy."""
    folder = tmp_path_factory.mktemp("strategies")
    processes = []
    for name, flags in STRATEGIES.items():
        command = scripts.command(
            "three_settings", *FLAGS, *flags, f"--output_dir={folder / name}"
        )
        if name == "workers":
            command = [*scripts.command("launch", "--"), *command]
        processes.append(
            subprocess.Popen(
                command,
                cwd=scripts.ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
    outputs = {
        name: (process.communicate()[0], process.returncode)
        for name, process in zip(STRATEGIES, processes)
    }
    for name, (output, code) in outputs.items():
        assert code == 0, f"{name}: {output[-3000:]}"
    assert "[0] ==> Run 3 of 3: mixed" in outputs["workers"][0]
    # Only the chief speaks.
    assert "[1] ==>" not in outputs["workers"][0]
    return folder


def read(studies, name, setting, file):
    return json.loads((studies / name / f"{setting}_seed0" / file).read_text())


def flat(figures, prefix=""):
    """Nested dicts of numbers as one dict."""
    for key, value in figures.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}/")
        elif isinstance(value, (int, float)):
            yield prefix + key, value


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("name", ["two", "four", "workers"])
def test_losses_are_those_of_one_device(studies, name, setting):
    one = read(studies, "one", setting, "metrics.json")
    several = read(studies, name, setting, "metrics.json")
    assert len(one) == len(several) == 2
    for its, ours in zip(one, several):
        assert its.keys() == ours.keys()
        for key in its.keys() - {"seconds"}:
            # Who is nearest can turn on the last bit.
            close = 2e-2 if key.startswith("contrastive") else 1e-4
            assert ours[key] == pytest.approx(its[key], rel=close), key


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("name", ["two", "four", "workers"])
def test_results_are_those_of_one_device(studies, name, setting):
    one = dict(flat(read(studies, "one", setting, "results.json")))
    several = dict(flat(read(studies, name, setting, "results.json")))
    assert one.keys() == several.keys() and len(one) > 20
    for key, value in one.items():
        assert several[key] == pytest.approx(value, rel=0.03, abs=0.02), key


@pytest.mark.parametrize(
    ("name", "replicas", "workers"),
    [("one", 1, 1), ("two", 2, 1), ("four", 4, 1), ("workers", 2, 2)],
)
def test_a_run_says_where_it_was_trained(studies, name, replicas, workers):
    one = read(studies, "one", "split", "run.json")
    record = read(studies, name, "split", "run.json")
    assert (record["replicas"], record["workers"]) == (replicas, workers)
    assert record["flags"] == one["flags"]
    assert record["dataset"]["index_hash"] == one["dataset"]["index_hash"]


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_folder_is_whole(studies, name):
    report = (studies / name / "report.html").read_text()
    assert len(report) > 10_000
    sentence = {
        "one": "",
        "two": "2, by mirrored",
        "four": "4, by mirrored",
        "workers": "2 on 2 workers, by multi_worker",
    }[name]
    assert sentence in report
    assert ("Replicas" in report) == bool(sentence)
    names = {path.name for path in (studies / "one" / "mixed_seed0").iterdir()}
    found = {path.name for path in (studies / name / "mixed_seed0").iterdir()}
    assert found == names


def test_an_exported_encoder_is_the_same(studies):
    import keras

    images = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), "uint8")
    features = [
        keras.saving.load_model(
            studies / name / "unsplit_seed0" / "encoder.keras"
        ).predict(images, verbose=0)
        for name in STRATEGIES
    ]
    for each in features[1:]:
        np.testing.assert_allclose(each, features[0], rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--strategy=multi_worker"], "experiments.launch --workers=2"),
        (["--strategy=one_device"], "needs one device"),
        (["--logical_cpus=2"], "goes with --strategy=one_device or mirrored"),
        (["--strategy=mirrored", "--devices="], "must name devices"),
        (["--strategy=mirrored", "--devices=CPU:0,"], "must name devices"),
        (["--batch_norm=local"], "several replicas only"),
        (["--candidates=local"], "several replicas only"),
        (["--strategy=mirrored", "--task_index=1"], "goes with --strategy"),
        (["--strategy=mirrored", "--steps_per_execution=2"], "must be 1 with"),
        (["--strategy=multi_worker", "--cluster=a:1"], "go together"),
        (
            ["--strategy=multi_worker", "--cluster=a", "--task_index=0"],
            "host:port of each worker, separated by commas, received 'a'",
        ),
        (
            ["--strategy=multi_worker", "--cluster=a:65536", "--task_index=0"],
            "received 'a:65536'; ports are 1 to 65535",
        ),
        (
            ["--strategy=mirrored", "--candidates=local", "--method=moco"],
            "--candidates=local has no effect on moco",
        ),
        (
            ["--strategy=multi_worker", "--cluster=a:1", "--task_index=1"],
            "none of the 1 workers of --cluster",
        ),
    ],
)
def test_flags_that_do_not_go_together_are_refused(flags, sentence):
    scripts.check_refusal("three_settings", flags, sentence)


def test_runs_of_other_statistics_are_not_mixed(studies):
    folder = studies / "two"
    for flags in (["--batch_norm=local"], ["--candidates=local"]):
        process = scripts.run(
            "three_settings",
            *FLAGS,
            *STRATEGIES["two"],
            *flags,
            f"--output_dir={folder}",
        )
        assert process.returncode == 2
        name = flags[0].partition("=")[0]
        assert f"was run with no {name}" in process.stderr


def test_a_run_goes_on_on_other_devices(dataset, tmp_path):
    """Two replicas, one device, and two again, each after a first epoch."""
    flags = [
        "--method=simclr",
        f"--dataset=npz:{dataset}",
        "--batch_size=20",
        # Its head normalizes, too.
        "--projector=mlp",
        f"--output_dir={tmp_path}",
        *FLAGS,
    ]
    folder = tmp_path / "simclr_seed0"
    last = folder / "checkpoint-0002.weights.h5"
    for number, name in enumerate(("two", "one", "two")):
        if number:
            last.rename(folder / "checkpoint-0001.weights.h5")
            record = json.loads((folder / "run.json").read_text())
            record["status"] = "interrupted"
            (folder / "run.json").write_text(json.dumps(record))
        process = scripts.run("pretrain", *flags, *STRATEGIES[name])
        assert process.returncode == 0, process.stderr[-3000:]
        assert ("Epoch 1/" in process.stdout) == (number == 0)
        record = json.loads((folder / "run.json").read_text())
        assert record["status"] == "finished"
        assert len(json.loads((folder / "metrics.json").read_text())) == 2


def test_runs_of_other_statistics_are_not_gone_on_with(tmp_path):
    run = tmp_path / "split_seed0"
    run.mkdir()
    record = {"flags": {"epochs": 1, "batch_norm": "local"}}
    (run / "run.json").write_text(json.dumps(record))
    wanted = [{"epochs": 1}, {"epochs": 1, "batch_norm": "local"}]
    with pytest.raises(ValueError, match="run with --batch_norm=local"):
        script.check_output(tmp_path, lambda _: wanted[0], overwrite=False)
    script.check_output(tmp_path, lambda _: wanted[1], overwrite=False)


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--logical_cpus=3"], "--batch_size=200 is that of all replicas"),
        (["--devices=GPU:0,GPU:1"], "must be of this machine's"),
    ],
)
def test_devices_that_do_not_fit_are_refused(flags, sentence, tmp_path):
    process = scripts.run(
        "three_settings",
        "--strategy=mirrored",
        *flags,
        f"--output_dir={tmp_path / 'runs'}",
    )
    assert process.returncode == 2
    assert sentence in process.stderr
    assert not (tmp_path / "runs").exists()
