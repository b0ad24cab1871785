import pathlib

import pytest

from experiments.report import findings
from experiments.report.runs import CLAIMED_CLASSES
from experiments.report.runs import Run
from experiments.report.runs import Study

ORDERED = {"unsplit": [0.26], "split": [0.37], "mixed": [0.44]}


def make_study(levels, *, losses=None, controls=None, dataset="cifar10"):
    """A study whose every figure is the level of its setting and seed."""
    runs = []
    for setting, seeds in levels.items():
        for seed, level in enumerate(seeds):
            each = {"clustering_accuracy": level}
            both = {"validation": each, "test": each}
            runs.append(
                Run(
                    folder=pathlib.Path(f"{setting}_seed{seed}"),
                    setting=setting,
                    seed=seed,
                    record={
                        "dataset": {
                            "name": dataset,
                            "class_names": CLAIMED_CLASSES
                            if dataset == "cifar10"
                            else None,
                            "num_classes": 10,
                            "test": 10000,
                        }
                    },
                    metrics=[{"loss": (losses or {}).get(setting, 1.0)}],
                    results=None
                    if level is None
                    else {"features": both, "projections": both},
                )
            )
    return Study(pathlib.Path("study"), tuple(runs), controls or {}, ())


def words(study):
    text = " ".join(findings.paragraph(study))
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ({"split": [None]}, "No run is finished yet"),
        ({"split": [0.25]}, "One setting alone"),
        (
            {"unsplit": [0.26], "split": [0.25]},
            "The claimed order was not seen on CIFAR-10",
        ),
        (ORDERED, "too few seeds"),
        (
            {"unsplit": [0.26, 0.25, 0.27], "split": [0.27, 0.24, 0.285]},
            "within the spread of the seeds",
        ),
        (
            {"unsplit": [0.26, 0.25, 0.27], "split": [0.36, 0.351, 0.37]},
            "The claimed order was seen on CIFAR-10",
        ),
        # Equal is not an order.
        ({"unsplit": [0.26], "split": [0.26]}, "was not seen"),
    ],
)
def test_the_headline_is_what_the_numbers_allow(levels, expected):
    assert expected in findings.verdict(make_study(levels))


def test_the_headline_says_whose_order_it_is():
    study = make_study({"unsplit": [0.7], "split": [0.6]}, dataset="digits")
    assert findings.verdict(study) == (
        "The order claimed for CIFAR-10 was not seen on the digits"
    )


def test_levels_and_order_are_told():
    text = words(make_study({"unsplit": [0.26], "mixed": [0.2481]}))
    assert "accuracy of 0.260 (unsplit) and 0.248 (mixed)." in text
    assert "order claimed, unsplit < mixed, was seen in none of 4" in text
    assert "features on test give mixed < unsplit" in text


def test_an_order_seen_in_part_is_told_as_such():
    study = make_study({"unsplit": [0.26], "split": [0.25]})
    worse = {"clustering_accuracy": 0.1}
    study.runs[0].results["features"] = {"validation": worse, "test": worse}
    text = words(study)
    assert "seen in features on validation and features on test, not" in text
    assert "not in the other 2 of 4 comparisons" in text


def test_one_seed_says_that_nothing_can_be_told():
    text = words(make_study(ORDERED))
    assert "cannot be told from chance" in text
    assert "largest step in the claimed order is 0.110" in text
    # sqrt(0.44 * 0.56 / 10000)
    assert "10,000 test images alone has a standard error of 0.005" in text


def test_several_seeds_are_judged_by_their_spread():
    study = make_study(
        {
            "unsplit": [0.26, 0.25, 0.27],
            "split": [0.21, 0.199, 0.22],
            "mixed": [0.20, 0.23, 0.19],
        }
    )
    text = words(study)
    assert "more than the spread between seeds explains, against" in text
    assert "not told from the spread between seeds" in text
    assert "With one seed" not in text


def test_settings_are_held_against_the_best_control():
    controls = {
        "pixels": {"test": {"clustering_accuracy": 0.229}},
        "chance": {"features": {"test": {"clustering_accuracy": 0.113}}},
    }
    levels = {"unsplit": [0.26], "split": [0.2]}
    text = words(make_study(levels, controls=controls))
    assert (
        "best control is raw pixels with 0.229; above it lies unsplit "
        "(+0.031), not above it split (−0.029)."
    ) in text
    assert "No control was measured" in words(make_study(levels))


def test_claims_are_compared_on_cifar10_alone():
    assert "0.260 where 0.267 is claimed (unsplit)" in words(
        make_study({"unsplit": [0.26]})
    )
    text = words(make_study({"unsplit": [0.26]}, dataset="digits"))
    assert "neither confirm nor refute" in text
    assert "is claimed" not in text


def test_a_low_loss_without_good_clusters_is_told():
    levels = {"unsplit": [0.26], "mixed": [0.25]}
    text = words(make_study(levels, losses={"unsplit": 4.5, "mixed": 3.76}))
    assert "The lowest last loss, 3.760 of mixed" in text
    assert "lowest" not in words(
        make_study(levels, losses={"unsplit": 3.5, "mixed": 3.76})
    )


def test_unfinished_runs_are_counted():
    text = words(make_study({"unsplit": [0.26, None], "split": [None, 0.25]}))
    assert "2 of 4 runs are not finished and not in any mean." in text
