import pathlib

import numpy as np
import pytest
from scipy import stats

from experiments.report.contrasts import contrast
from experiments.report.contrasts import contrasts_table
from experiments.report.runs import Run
from experiments.report.runs import Study


def make_study(levels):
    """levels: setting -> {seed: accuracy of features on test}."""
    runs = [
        Run(
            folder=pathlib.Path(f"{setting}_seed{seed}"),
            setting=setting,
            seed=seed,
            record={},
            metrics=[],
            results={"features": {"test": {"clustering_accuracy": level}}},
        )
        for setting, seeds in levels.items()
        for seed, level in seeds.items()
    ]
    return Study(pathlib.Path("study"), tuple(runs), {}, ())


@pytest.mark.parametrize("count", [2, 3, 5])
def test_interval_is_that_of_the_paired_t_test(count):
    generator = np.random.default_rng(count)
    first = generator.normal(0.3, 0.02, count)
    second = generator.normal(0.26, 0.01, count)
    found = contrast(
        make_study(
            {
                "split": dict(enumerate(first.tolist())),
                "unsplit": dict(enumerate(second.tolist())),
            }
        ),
        "split",
        "unsplit",
    )
    expected = stats.ttest_rel(first, second).confidence_interval(0.95)
    np.testing.assert_allclose(found.interval, expected, rtol=1e-9)
    np.testing.assert_allclose(found.mean, np.mean(first - second))
    assert found.told_apart == (expected.low > 0 or expected.high < 0)


def test_runs_are_paired_by_seed():
    study = make_study(
        {"split": {1: 0.3, 2: 0.4}, "unsplit": {2: 0.1, 0: 0.9, 1: 0.05}}
    )
    np.testing.assert_allclose(
        contrast(study, "split", "unsplit").differences, [0.25, 0.3]
    )


def test_one_common_seed_has_no_interval():
    study = make_study({"split": {1: 0.3, 2: 0.4}, "unsplit": {2: 0.1}})
    found = contrast(study, "split", "unsplit")
    assert found.interval is None and found.told_apart is None
    (row,) = contrasts_table(study).rows
    assert row.label == "split − unsplit"
    assert row.cells[:4] == ("1", "+0.300", "–", "cannot be told")
    assert row.cells[4:] == ("–", "–", "–")


def test_nothing_common_gives_no_table():
    study = make_study({"split": {1: 0.3}, "unsplit": {2: 0.1}})
    assert contrast(study, "split", "unsplit").mean is None
    assert contrasts_table(study) is None
