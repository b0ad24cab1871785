import base64
import json
import pathlib
import re
import statistics
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

from experiments import report
from experiments.report import runs

ROOT = pathlib.Path(__file__).parents[3]
MEASURED = [
    (kind, split)
    for kind in ("features", "projections")
    for split in ("validation", "test")
]
FIGURES = {
    "clustering_accuracy": "Clustering accuracy",
    "nmi": "Normalized mutual information",
    "ari": "Adjusted Rand index",
    "purity": "Purity",
    "knn_accuracy": "kNN accuracy",
    "linear_probe_accuracy": "Linear probe accuracy",
    "similarity_auroc_dot": "Same class or not, by dot product",
    "similarity_auroc_euclidean": "Same class or not, by distance",
}
ASPECTS = ("images", "policies", "batches", "normalization", "inference")
CIFAR10 = list(runs.CLAIMED_CLASSES)
PNG = b"\x89PNG\r\n\x1a\n not drawn, only carried"


def figures(start, collapsed=False):
    """A different number for every key."""
    values = {key: start + 0.013 * i for i, key in enumerate(FIGURES)}
    return values | {
        "clustering_accuracy_std": 0.0041,
        "uniformity": -2.0 - start,
        "effective_rank": 10 + start,
        "spread": 0.05 + start / 100,
        "collapsed": collapsed,
    }


def results(start, collapsed=False):
    """A different number for every key, representation and split."""
    numbers = {}
    for i, (kind, split) in enumerate(MEASURED):
        numbers.setdefault(kind, {})[split] = figures(
            start + 0.0517 * i, collapsed and kind == "projections"
        )
    return numbers


def add_run(folder, setting, seed, content, dataset="cifar10", **changes):
    """Writes a run's folder; without results it was interrupted."""
    run = folder / f"{setting}_seed{seed}"
    run.mkdir(parents=True)
    record = {
        "setting": setting,
        "seed": seed,
        "setting_description": {key: f"{setting} {key}" for key in ASPECTS},
        "command": f"python -m experiments.three_settings --dataset={dataset}",
        "flags": {"epochs": 3, "batch_size": 500},
        "versions": {"python": "3.11.9", "keras": "3.15.1"},
        "machine": {"processor": "Abacus", "cores": 2, "memory_gib": 15.5},
        "backend": "tensorflow",
        "dataset": {
            "name": dataset,
            "train": 1150,
            "validation": 287,
            "test": 360,
            "num_classes": 2,
            "class_names": CIFAR10 if dataset == "cifar10" else ["1", "2"],
            "index_hash": "4ab1c099",
        },
        "parameters": 95296,
        "started": "2026-11-21T10:00:00+00:00",
        "finished": "2026-11-21T10:30:00+00:00",
        "seconds": {"training": 252.4, "evaluation": 38.2},
        "images_per_second": 1180.4,
        "status": "interrupted" if content is None else "finished",
    } | changes
    metrics = [
        {"epoch": epoch, "loss": 5.5 - epoch / 2, "knn_accuracy": 0.1 * epoch}
        for epoch in range(1, 3 if content is None else 4)
    ]
    (run / "run.json").write_text(json.dumps(record))
    (run / "metrics.json").write_text(json.dumps(metrics))
    if content is not None:
        (run / "results.json").write_text(json.dumps(content))
    return run


def add_controls(folder, **more):
    content = {
        "chance": results(0.113),
        "pixels": {"validation": figures(0.221), "test": figures(0.229)},
        "pca": {"validation": figures(0.222), "test": figures(0.226)},
        "untrained": results(0.151),
    }
    cost = {"seconds": 12.5, "peak_memory_gib": 3.31, **more}
    written = json.dumps({**content, "cost": cost})
    (folder / "controls.json").write_text(written)
    return content


@pytest.fixture
def study(tmp_path):
    """Three settings, one seed, controls."""
    content = {
        "unsplit": results(0.2601),
        "split": results(0.2540),
        "mixed": results(0.2483),
    }
    for setting, each in content.items():
        add_run(tmp_path, setting, 0, each)
    add_controls(tmp_path)
    return tmp_path, content


def page(folder):
    """The page, parsed strictly: it must be well-formed."""
    return ElementTree.fromstring(report.write(folder).read_text())


def text_of(element):
    return " ".join("".join(element.itertext()).split())


def html_rows(tree, title):
    """Rows of a table by the text of their head: "unsplit seed 0"."""
    for box in tree.iter("div"):
        if box.get("aria-label") == title:
            return {
                text_of(row.find("th")): [text_of(td) for td in row.iter("td")]
                for row in box.find("table/tbody").iter("tr")
            }
    raise AssertionError(f"no table {title!r}")


def markdown_rows(text, title):
    """Rows of the first table under a heading, by their first cell."""
    section = re.split(rf"^##+ {re.escape(title)}$", text, flags=re.M)[1]
    lines = [
        line
        for line in re.split(r"^#", section, flags=re.M)[0].splitlines()
        if line.startswith("|")
    ]
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines[2:]]
    return {
        first.strip(): [cell.strip() for cell in rest] for first, *rest in cells
    }


def both(folder, title):
    """A table's rows in HTML and in Markdown, heads made alike."""
    tree = page(folder)
    rows = markdown_rows((folder / "report.md").read_text(), title)
    yield html_rows(tree, title)
    yield {
        label.replace("· ", "").replace("(", "").replace(")", ""): cells
        for label, cells in rows.items()
    }


@pytest.mark.parametrize(("key", "title"), FIGURES.items())
def test_each_figure_is_in_its_row_and_column(study, key, title):
    folder, content = study
    for rows in both(folder, title):
        for setting, numbers in content.items():
            assert rows[f"{setting} seed 0"][:4] == [
                f"{numbers[kind][split][key]:.3f}" for kind, split in MEASURED
            ]


@pytest.mark.parametrize("key", ["clustering_accuracy", "knn_accuracy"])
def test_controls_are_in_their_rows(study, key):
    folder, _ = study
    controls = add_controls(folder)
    for rows in both(folder, FIGURES[key]):
        for name, label in (("pixels", "raw pixels"), ("pca", "PCA of pixels")):
            assert rows[label][:4] == [
                f"{controls[name]['validation'][key]:.3f}",
                f"{controls[name]['test'][key]:.3f}",
                "–",
                "–",
            ]
        assert rows["untrained encoder"][:4] == [
            f"{controls['untrained'][kind][split][key]:.3f}"
            for kind, split in MEASURED
        ]
        if key == "clustering_accuracy":
            assert rows["chance"][:4] == [
                f"{controls['chance'][kind][split][key]:.3f}"
                for kind, split in MEASURED
            ]


def test_pixels_that_were_reduced_are_told(study):
    folder, _ = study
    words = "of images brought to 16 by 32 pixels"
    assert words not in text_of(page(folder))
    add_controls(folder, pixels_reduced_to=[16, 32])
    text = text_of(page(folder))
    for label in ("raw pixels", "PCA of pixels"):
        assert f"{label} {words}" in " ".join(text.split())
    assert "untrained encoder of images" not in " ".join(text.split())
    assert f"raw pixels ({words})" in (folder / "report.md").read_text()


def test_claims_stand_beside_the_figures(study):
    folder, _ = study
    for rows in both(folder, "Clustering accuracy"):
        claims = {label.split()[0]: cells[4] for label, cells in rows.items()}
        assert claims["unsplit"] == "0.267"
        assert claims["split"] == "0.37"
        assert claims["mixed"] == "0.44"
        assert rows["one_subset not run"] == ["–"] * 4 + ["0.13"]
        assert claims["raw"] == ""


@pytest.mark.parametrize("dataset", ["cifar10", "digits"])
def test_claims_are_compared_on_cifar10_alone(tmp_path, dataset):
    add_run(tmp_path, "split", 0, results(0.7), dataset=dataset)
    html = report.write(tmp_path).read_text()
    markdown = (tmp_path / "report.md").read_text()
    for text in (html, markdown):
        assert ("not comparable" in text) == (dataset != "cifar10")
        assert "0.37" in text
    # On other images, no mark of the diagram says what was claimed.
    assert ('class="claim"' in html) == (dataset == "cifar10")


def test_several_seeds_give_mean_deviation_and_each_run(tmp_path):
    levels = [0.251, 0.264, 0.247]
    for seed, level in enumerate(levels):
        add_run(tmp_path, "split", seed, results(level))
    mean, deviation = statistics.mean(levels), statistics.stdev(levels)
    for rows in both(tmp_path, "Clustering accuracy"):
        first = rows["split 3 seeds"][0]
        assert first == f"{mean:.3f} ± {deviation:.3f}"
        for seed, level in enumerate(levels):
            assert rows[f"seed {seed}"][0] == f"{level:.3f}"


def test_one_seed_has_no_spread(study):
    folder, _ = study
    for rows in both(folder, "Clustering accuracy"):
        assert not any("±" in cell for cells in rows.values() for cell in cells)


def test_a_figure_that_some_runs_lack_says_of_how_many_it_is(tmp_path):
    for seed in range(3):
        numbers = results(0.25 + seed / 100)
        if seed == 1:
            del numbers["features"]["validation"]["nmi"]
        add_run(tmp_path, "split", seed, numbers)
    for rows in both(tmp_path, FIGURES["nmi"]):
        cells = rows["split 3 seeds"]
        assert cells[0].replace("\\", "").endswith("(2 of 3)")
        assert "of" not in cells[1]


def test_missing_validation_leaves_a_dash(tmp_path):
    numbers = results(0.25)
    del numbers["features"]["validation"]
    numbers["projections"]["validation"]["nmi"] = None
    add_run(tmp_path, "split", 0, numbers)
    for rows in both(tmp_path, FIGURES["nmi"]):
        cells = rows["split seed 0"]
        assert [cell == "–" for cell in cells] == [True, False, True, False]


def test_an_unfinished_run_is_shown_without_figures(study):
    folder, content = study
    add_run(folder, "mixed", 1, None)
    for rows in both(folder, "Clustering accuracy"):
        assert rows["mixed seed 0"][1] == (
            f"{content['mixed']['features']['test']['clustering_accuracy']:.3f}"
        )
        assert rows["seed 1 interrupted, 2 of 3 epochs"] == ["–"] * 4 + [""]
    html = report.write(folder).read_text()
    assert "mixed_seed1: interrupted, 2 of 3 epochs" in html
    assert "1 of 4 runs is not finished" in html


def test_results_of_an_earlier_run_are_left_out(tmp_path):
    add_run(tmp_path, "split", 0, results(0.9), status="running")
    html = report.write(tmp_path).read_text()
    assert "split_seed0/results.json is left out" in html
    assert "0.900" not in html and "No run is finished yet" in html


def test_missing_and_broken_files_are_named(tmp_path):
    (tmp_path / "mixed_seed0").mkdir()
    run = add_run(tmp_path, "split", 0, results(0.25))
    (run / "metrics.json").write_text('{"epoch": 1')
    (run / "results.json").write_text("[1]")
    html = report.write(tmp_path).read_text()
    text = text_of(ElementTree.fromstring(html))
    for sentence in (
        "mixed_seed0/run.json is missing.",
        "split_seed0/metrics.json cannot be read:",
        "split_seed0/results.json holds a list where a dict is expected.",
        "controls.json is missing.",
    ):
        assert sentence in text
        assert sentence in (tmp_path / "report.md").read_text()


def test_an_empty_folder_still_gives_a_page(tmp_path):
    tree = page(tmp_path)
    assert "No run was found" in text_of(tree)
    assert "No run is finished" in (tmp_path / "report.md").read_text()


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ValueError, match="`output_dir`.*nowhere"):
        report.write(tmp_path / "nowhere")


def test_unlabelled_images_are_reported_as_such(tmp_path):
    numbers = {
        kind: {"test": {"uniformity": -2.125, "collapsed": False}}
        for kind in ("features", "projections")
    }
    dataset = {"name": "folder:x", "num_classes": None, "class_names": None}
    add_run(tmp_path, "split", 0, numbers, dataset=dataset["name"])
    record = json.loads((tmp_path / "split_seed0/run.json").read_text())
    record["dataset"] = dataset
    (tmp_path / "split_seed0/run.json").write_text(json.dumps(record))
    tree = page(tmp_path)
    assert "The images have no labels" in text_of(tree)
    assert "controls.json is missing" not in text_of(tree)
    rows = html_rows(tree, "Geometry on the test images")
    assert rows["split seed 0"][:2] == ["no", "−2.125"]


def test_collapse_stands_out(tmp_path):
    add_run(tmp_path, "split", 0, results(0.25))
    add_run(tmp_path, "mixed", 0, results(0.21, collapsed=True))
    tree = page(tmp_path)
    alarm = [
        each for each in tree.iter("aside") if each.get("class") == "alarm"
    ]
    assert len(alarm) == 1
    assert "mixed, seed 0: projections on validation" in text_of(alarm[0])
    assert "split" not in text_of(alarm[0])
    for rows in both(tmp_path, "Geometry on the test images"):
        assert rows["split seed 0"][0] == rows["mixed seed 0"][0] == "no"
        half = len(rows["mixed seed 0"]) // 2
        assert rows["mixed seed 0"][half] == "yes"


ODD = ["<b>a</b>", "q\"&amp;'", "x|y_z", "*w* `c` [l](m)", "nul\x00", "ü $1$"]


def test_odd_class_names_are_escaped(tmp_path):
    run = add_run(tmp_path, "split", 0, results(0.25))
    record = json.loads((run / "run.json").read_text())
    record["dataset"]["class_names"] = ODD
    (run / "run.json").write_text(json.dumps(record))
    text = text_of(page(tmp_path))
    assert ", ".join(ODD).replace("\x00", "\ufffd") in text
    markdown = (tmp_path / "report.md").read_text()
    assert "&lt;b&gt;a&lt;/b&gt;" in markdown
    assert r"x\|y_z" in markdown
    assert r"\*w\* \`c\` \[l\](m)" in markdown


def test_odd_names_of_settings_do_not_break_tables(tmp_path):
    run = add_run(tmp_path, "<i>&", 0, results(0.25))
    record = json.loads((run / "run.json").read_text())
    record["setting"] = "<i>|&_x_"
    (run / "run.json").write_text(json.dumps(record))
    tree = page(tmp_path)
    assert "<i>|&_x_ seed 0" in html_rows(tree, "Clustering accuracy")
    rows = markdown_rows(
        (tmp_path / "report.md").read_text(), "Clustering accuracy"
    )
    assert any(label.startswith(r"&lt;i&gt;\|&amp;") for label in rows)
    assert {len(cells) for cells in rows.values()} == {5}


def test_the_page_needs_nothing_from_elsewhere(study):
    folder, _ = study
    (folder / "split_seed0/views.png").write_bytes(PNG)
    html = report.write(folder).read_text()
    tree = ElementTree.fromstring(html)
    tags = {element.tag for element in tree.iter()}
    assert not tags & {"script", "link", "iframe", "object", "base"}
    for element in tree.iter():
        for name in ("src", "href", "srcset", "poster"):
            address = element.get(name, "")
            assert not re.match(r"\s*(https?:|//)", address), address
    style = tree.find("head/style").text
    assert "url(" not in style and "@import" not in style
    assert "prefers-color-scheme: dark" in style


def test_links_lead_to_files_and_pictures_are_inside(study):
    folder, _ = study
    picture = folder / "split_seed0/views.png"
    picture.write_bytes(PNG)
    (folder / "split_seed0/a b#c.txt").write_text("")
    tree = page(folder)
    addresses = [each.get("href") for each in tree.iter("a")]
    assert "split_seed0/a%20b%23c.txt" in addresses
    assert "mixed_seed0/results.json" in addresses
    for address in addresses:
        name = address.replace("%20", " ").replace("%23", "#")
        assert (folder / name).exists(), address
    (image,) = tree.iter("img")
    encoded = image.get("src").removeprefix("data:image/png;base64,")
    assert base64.b64decode(encoded) == PNG
    assert "(split_seed0/views.png)" in (folder / "report.md").read_text()


def test_what_differed_is_told_in_the_words_of_the_runs(study):
    folder, _ = study
    for rows in both(folder, "What differed between the settings"):
        for setting in ("unsplit", "split", "mixed"):
            assert rows[setting] == [f"{setting} {key}" for key in ASPECTS]


def test_every_figure_of_every_run_is_listed(tmp_path):
    for seed in range(2):
        add_run(tmp_path, "split", seed, results(0.25 + seed / 50))
    tree = page(tmp_path)
    box = next(
        each
        for each in tree.iter("div")
        if each.get("aria-label") == "Every figure of every run"
    )
    rows = [[text_of(cell) for cell in row] for row in box.find("table/tbody")]
    assert len(rows) == 8
    expected = results(0.27)["projections"]["test"]
    row = next(r for r in rows if r[:2] == ["split_seed1", "projections, test"])
    assert row[2] == f"{expected['clustering_accuracy']:.3f}"
    assert row[3] == "0.004"
    assert row[4:11] == [f"{expected[key]:.3f}" for key in list(FIGURES)[1:]]
    assert row[-1] == "no"


def test_provenance_is_told(study):
    folder, _ = study
    tree = page(folder)
    text = text_of(tree)
    for words in (
        "python -m experiments.three_settings --dataset=cifar10",
        "Abacus, 2 cores, 15.5 GiB memory",
        "python 3.11.9, keras 3.15.1",
        "1,150 to train on, 287 for validation, 360 to test",
        f"2: {', '.join(CIFAR10)}",
        "4ab1c099",
        "--epochs=3 --batch_size=500",
        "unsplit 1180",
        "12.5 s controls",
        "3.3 GiB",
    ):
        assert words in text
        assert words in (folder / "report.md").read_text()
    rows = html_rows(tree, "Every run")
    assert rows["split_seed0"] == [
        "finished",
        "3 of 3",
        "4.000",
        "1180",
        "4 min 12 s",
        "38.2 s",
        "95,296",
        "4ab1c099",
    ]


def test_flags_that_differ_between_runs_are_told(tmp_path):
    add_run(tmp_path, "split", 0, results(0.25))
    add_run(tmp_path, "mixed", 0, results(0.24), flags={"epochs": 9})
    text = text_of(page(tmp_path))
    assert "--epochs: split_seed0 3, mixed_seed0 9" in text


def test_training_is_drawn_for_what_was_logged(study):
    folder, _ = study
    tree = page(folder)
    captions = [text_of(each) for each in tree.iter("figcaption")]
    assert "Loss" in captions and "kNN accuracy" in captions
    assert "Contrastive accuracy" not in captions
    assert "Not logged: contrastive accuracy" in text_of(tree)
    ends = [
        each for each in tree.iter("span") if "end" in each.get("class", "")
    ]
    assert {text_of(each) for each in ends} >= {"split 4.00", "split 0.300"}


def test_it_is_redrawn_by_command_without_anything_heavy(study):
    folder, _ = study
    code = (
        "import sys, runpy; sys.argv[1:] = [sys.argv[1]];"
        "\ntry: runpy.run_module('experiments.report', run_name='__main__')"
        "\nexcept SystemExit as end: assert not end.code, end.code"
        "\nheavy = {'keras', 'tensorflow', 'matplotlib', 'sklearn'}"
        "\nassert not heavy & set(sys.modules)"
    )
    first = report.write(folder).read_text()
    (folder / "report.html").unlink()
    (folder / "report.md").unlink()
    done = subprocess.run(
        [sys.executable, "-c", code, f"--output_dir={folder}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str((folder / "report.html").resolve())
    assert (folder / "report.html").read_text() == first
    assert (folder / "report.md").exists()


def test_the_command_refuses_a_folder_that_is_not_there(tmp_path):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "experiments.report",
            f"--output_dir={tmp_path}/nowhere",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "nowhere" in done.stderr and "Traceback" not in done.stderr
