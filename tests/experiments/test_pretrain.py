"""Pretraining and fine-tuning, run as a user runs them."""

import json

import keras
import numpy as np
import pytest

from experiments.methods import METHODS
from keras_contrastive import layers
from keras_contrastive import models
from tests.experiments import scripts


@pytest.fixture(scope="module")
def flags(dataset):
    return [
        f"--dataset=npz:{dataset}",
        "--epochs=1",
        "--batch_size=40",
        "--monitor_every=0",
    ]


@pytest.fixture(scope="module")
def runs(flags, tmp_path_factory):
    """All methods, in one folder."""
    output_dir = tmp_path_factory.mktemp("pretrain")
    process = scripts.run(
        "pretrain", *flags, "--method=all", f"--output_dir={output_dir}"
    )
    assert process.returncode == 0, process.stderr
    assert str(output_dir / "methods.md") in process.stdout
    return output_dir


@pytest.mark.parametrize("method", METHODS)
def test_a_run_leaves_a_folder_that_explains_itself(runs, method):
    folder = runs / f"{method}_seed0"
    record = json.loads((folder / "run.json").read_text())
    assert record["status"] == "finished"
    assert record["method"] == method
    assert "experiments.pretrain" in record["command"]
    (metrics,) = json.loads((folder / "metrics.json").read_text())
    assert np.isfinite(metrics["loss"])
    results = json.loads((folder / "results.json").read_text())
    for kind in ("features", "projections"):
        assert 0 < results[kind]["test"]["knn_accuracy"] <= 1
    # All but CPC's are read without this package.
    custom = {"Patches": layers.Patches} if method == "cpc" else None
    encoder = keras.saving.load_model(folder / "encoder.keras", custom)
    images = np.zeros((3, 8, 8, 3), "uint8")
    assert encoder.predict(images, verbose=0).shape == (3, 128)
    for name in ("views.png", "curves.png", "embedding.png", "model.keras"):
        assert (folder / name).stat().st_size > 1000


def test_the_table_has_a_row_for_each_run(runs, flags):
    table = (runs / "methods.md").read_text()
    for method in METHODS:
        assert f"| {method} |" in table
    assert "experiments.pretrain" in table
    process = scripts.run(
        "pretrain", *flags, "--method=simclr", f"--output_dir={runs}"
    )
    assert process.returncode == 0, process.stderr
    assert "already finished" in process.stdout
    assert (runs / "methods.md").read_text() == table


def test_flags_of_one_method_do_not_hinder_another(runs, flags):
    arguments = [*flags, "--queue_size=80", f"--output_dir={runs}"]
    process = scripts.run("pretrain", *arguments, "--method=moco")
    assert process.returncode == 2
    assert "moco_seed0 was run with no --queue_size" in process.stderr


def test_a_run_interrupted_after_its_last_epoch_is_finished(runs, flags):
    """No epoch is left to be timed, and the figures are made anew."""
    folder = runs / "simclr_seed0"
    record = json.loads((folder / "run.json").read_text())
    table = (runs / "methods.md").read_text()
    interrupted = {**record, "status": "interrupted"}
    (folder / "run.json").write_text(json.dumps(interrupted))
    (folder / "results.json").unlink()
    process = scripts.run(
        "pretrain", *flags, "--method=simclr", f"--output_dir={runs}"
    )
    assert process.returncode == 0, process.stderr
    again = json.loads((folder / "run.json").read_text())
    assert again["status"] == "finished"
    assert again["started"] == record["started"]
    assert again["images_per_second"] == record["images_per_second"]
    rows = [
        next(line for line in text.splitlines() if "| simclr |" in line)
        for text in (table, (runs / "methods.md").read_text())
    ]
    assert rows[0] == rows[1]


def test_siamese_is_trained_in_two_stages(flags, tmp_path):
    """And goes on within the second one, as if never interrupted."""
    arguments = [*flags, "--method=siamese", f"--output_dir={tmp_path}"]
    two_stages = [*arguments, "--discriminator_epochs=2"]
    folder = tmp_path / "siamese_seed0"
    process = scripts.run("pretrain", *arguments, "--discriminator_epochs=1")
    assert process.returncode == 0, process.stderr
    record = json.loads((folder / "run.json").read_text())
    before = keras.saving.load_model(folder / "model.keras", compile=False)
    record["flags"]["discriminator_epochs"] = 2
    record["status"] = "interrupted"
    (folder / "run.json").write_text(json.dumps(record))
    process = scripts.run("pretrain", *two_stages)
    assert process.returncode == 0, process.stderr
    metrics = json.loads((folder / "metrics.json").read_text())
    assert [each["epoch"] for each in metrics] == [1, 2, 3]
    # The discriminator takes no part in the first stage.
    judged = ["discriminator_accuracy" in each for each in metrics]
    assert judged == [False, True, True]
    model = keras.saving.load_model(folder / "model.keras", compile=False)
    assert model.stage == "discriminator"
    for part, is_at_rest in (("encoder", True), ("discriminator", False)):
        pairs = zip(getattr(before, part).weights, getattr(model, part).weights)
        same = [np.array_equal(one, other) for one, other in pairs]
        assert all(same) == is_at_rest
    table = (tmp_path / "methods.md").read_text()
    assert "1 epochs (2 of the discriminator after them)" in table
    loss = f"{metrics[0]['loss']:.3f}"
    assert f"| {loss} to {loss} |" in table
    images = np.zeros((3, 8, 8, 3), "uint8")
    assert model.predict_pairs(images, images).shape == (3,)
    process = scripts.run("pretrain", *arguments)
    assert process.returncode == 2
    assert "was run with --discriminator_epochs=2" in process.stderr


def test_every_argument_of_the_attack_has_a_flag(flags, tmp_path):
    process = scripts.run(
        "pretrain", *flags, "--method=simclr", f"--output_dir={tmp_path}",
        "--adversarial_epsilon=0.02", "--adversarial_steps=2",
        "--adversarial_share=0.5", "--adversarial_weight=0.7",
        "--adversarial_step_size=0.015", "--adversarial_random_start",
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    folder = tmp_path / "simclr_seed0"
    model = keras.saving.load_model(folder / "model.keras", compile=False)
    assert model.adversary.get_config() == {
        "epsilon": 0.02,
        "steps": 2,
        "share": 0.5,
        "weight": 0.7,
        "step_size": 0.015,
        "random_start": True,
    }
    record = json.loads((folder / "run.json").read_text())
    assert record["flags"]["adversarial_weight"] == 0.7


def test_what_is_refused_removes_nothing(runs, flags):
    process = scripts.run(
        "pretrain", "--overwrite", *flags[:2], "--batch_size=4000",
        "--method=simclr", f"--output_dir={runs}",
    )  # fmt: skip
    assert process.returncode == 2
    assert (runs / "simclr_seed0" / "results.json").exists()


def test_float_images_and_labels_with_gaps(dataset, tmp_path):
    arrays = np.load(dataset)
    path = tmp_path / "floats.npz"
    images = arrays["images"].astype("float32") / 255
    np.savez(path, images=images, labels=4 * arrays["labels"] + 1)
    process = scripts.run(
        "pretrain",
        f"--dataset=npz:{path}",
        "--epochs=1",
        "--batch_size=40",
        "--method=cross_entropy",
        "--precision=mixed_bfloat16",
        f"--output_dir={tmp_path}",
    )
    assert process.returncode == 0, process.stderr
    assert "| cross_entropy |" in (tmp_path / "methods.md").read_text()


def test_recipes_can_train_on_all_images_as_published(flags, tmp_path):
    process = scripts.run(
        "pretrain",
        *flags[:1],
        "--epochs=2",
        "--batch_size=40",
        "--monitor_every=2",
        "--method=simclr",
        "--data_split=full",
        "--projector=normalized_mlp",
        "--view_order=view_major",
        "--bn_splits=2",
        "--blur=0.5",
        "--warmup=0",
        "--milestones=0.9",
        f"--output_dir={tmp_path}",
    )
    assert process.returncode == 0, process.stderr
    folder = tmp_path / "simclr_seed0"
    record = json.loads((folder / "run.json").read_text())
    seen = record["dataset"]["train"]
    assert f"{seen} images to train on" in process.stdout
    results = json.loads((folder / "results.json").read_text())
    for kind in ("features", "projections"):
        # The last epoch's figures, of test images only.
        for figure in ("knn_accuracy", "linear_probe_accuracy"):
            assert 0 < results[kind]["test"][figure] <= 1
        assert not results[kind]["validation"]
    # Of the step after an epoch.
    rates = [
        epoch["learning_rate"]
        for epoch in json.loads((folder / "metrics.json").read_text())
    ]
    assert rates[-1] == pytest.approx(0.1 * rates[0])
    table = (tmp_path / "methods.md").read_text()
    assert "of them for validation" in table
    for column in ("kNN, features", "kNN, projections", "linear probe"):
        assert column in table
    model = keras.saving.load_model(folder / "model.keras")
    assert isinstance(model, models.SimCLR)
    assert model.view_order == "view_major"
    *_, blur = model.policies[0].transformations
    assert blur.probability == 0.5


def test_long_tails_are_judged_by_the_frequency_of_classes(flags, tmp_path):
    process = scripts.run(
        "pretrain",
        *flags[:-2],
        "--batch_size=20",
        "--monitor_every=0",
        "--method=simclr,cross_entropy",
        "--imbalance=4",
        f"--output_dir={tmp_path}",
    )
    assert process.returncode == 0, process.stderr
    table = (tmp_path / "methods.md").read_text()
    assert "imbalance factor 4" in table
    assert "| cross_entropy | 0 | its own |" in table
    assert table.count("| probe on balanced images |") == 2
    results = json.loads(
        (tmp_path / "simclr_seed0" / "results.json").read_text()
    )
    figures = results["long_tail"]["probe on the long tail"]
    assert set(figures) == {"all", "many", "medium", "few", "deviation"}


def test_classifiers_start_from_a_run(runs, flags, tmp_path):
    arguments = [
        *flags[:3],
        f"--run={runs / 'simclr_seed0'}",
        "--fractions=0.2,1",
        f"--output_dir={tmp_path}",
    ]
    process = scripts.run("finetune", *arguments)
    assert process.returncode == 0, process.stderr
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in (tmp_path / "classifiers.md").read_text().splitlines()
        if line.startswith("| ")
    ][1:]
    assert [row[:3] for row in rows] == [
        ["26 (20%)", "all", "simclr_seed0"],
        ["26 (20%)", "all", "scratch"],
        ["26 (20%)", "head", "simclr_seed0"],
        ["130 (100%)", "all", "simclr_seed0"],
        ["130 (100%)", "all", "scratch"],
        ["130 (100%)", "head", "simclr_seed0"],
    ]
    assert all(0 <= float(row[-1]) <= 1 for row in rows)
    again = scripts.run("finetune", *arguments)
    assert again.stdout.count("already finished") == 6
    elsewhere = ["--dataset=digits", *arguments[1:]]
    scripts.check_refusal("finetune", elsewhere, "--dataset=npz:")
    inside = [*arguments, f"--output_dir={runs}"]
    scripts.check_refusal("finetune", inside, "is the folder of --run")


@pytest.mark.parametrize(
    ("script", "argument", "expected"),
    [
        ("pretrain", "--method=simclr,byol", "byol"),
        ("pretrain", "--method=moco,moco", "twice"),
        ("pretrain", "--queue_size=10", "moco"),
        ("pretrain", "--bn_splits=3", "divisible"),
        ("pretrain", "--images_per_class=4", "supcon"),
        ("pretrain", "--adversarial_steps=2", "--adversarial_epsilon"),
        ("pretrain", "--imbalance=0.5", "0.5"),
        ("pretrain", "--momentum=1.5", "momentum"),
        ("pretrain", "--policy=strong", "strong"),
        ("pretrain", "--adversarial_share=0.5", "--adversarial_epsilon"),
        ("pretrain", "--adversarial_weight=2", "--adversarial_epsilon"),
        ("pretrain", "--adversarial_step_size=0.1", "--adversarial_epsilon"),
        ("pretrain", "--adversarial_random_start", "--adversarial_epsilon"),
        ("pretrain", "--adversarial_epsilon=-0.1", "-0.1"),
        ("pretrain", "--discriminator_epochs=3", "siamese"),
        ("pretrain", "--temperature=0", "temperature"),
        ("pretrain", "--batch_size=1", "batch_size"),
        ("pretrain", "--milestones=0.6,0.8", "--warmup=0"),
        ("pretrain", "--milestones=0.8,0.6", "rising"),
        ("pretrain", "--milestones=1.5", "rising"),
        ("pretrain", "--milestones=half", "'half'"),
        ("three_settings", "--data_split=full", "--data_split=full"),
        ("finetune", "--epochs=3", "--run"),
        ("finetune", "--run=nowhere", "nowhere"),
        ("finetune", "--fractions=0,1", "'0'"),
        ("finetune", "--train=tail", "tail"),
    ],
)
def test_refusals_come_at_once_in_one_sentence(script, argument, expected):
    scripts.check_refusal(script, [argument], expected)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--policy=weak", "--blur=0.5"], "--policy=simclr and moco_v2"),
        (["--method=moco", "--view_order=view_major"], "simclr only"),
        (["--method=moco_v3", "--adversarial_weight=2"], "simclr, moco only"),
        (["--method=siamese", "--discriminator_epochs=0"], "positive"),
    ],
)
def test_flags_without_effect_are_refused(arguments, expected):
    scripts.check_refusal("pretrain", arguments, expected)


def test_what_only_the_model_can_tell_is_a_sentence_too(flags, tmp_path):
    arguments = [*flags, "--method=moco", "--queue_size=8"]
    process = scripts.run("pretrain", *arguments, f"--output_dir={tmp_path}")
    assert process.returncode == 2
    assert process.stderr.splitlines()[-1].startswith("Refused: `queue_size`")
    # Nothing is left that would hinder the corrected command.
    assert not list(tmp_path.glob("*/run.json"))


def test_methods_that_need_labels_say_so(tmp_path):
    path = tmp_path / "images.npz"
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 3), "uint8")
    np.savez(path, images=images)
    process = scripts.run(
        "pretrain",
        f"--dataset=npz:{path}",
        "--batch_size=20",
        "--method=supcon",
        f"--output_dir={tmp_path}",
    )
    assert process.returncode == 2
    assert "learns from labels" in process.stderr
