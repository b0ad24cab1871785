import math
import statistics

import pytest

from experiments.report.figures import deviation
from experiments.report.figures import duration
from experiments.report.figures import mean
from experiments.report.figures import number
from experiments.report.figures import signed
from experiments.report.figures import summary


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [
        (0.26749, 3, "0.267"),
        (-2.1254, 2, "−2.13"),
        (1180.4, 0, "1180"),
        (None, 3, "–"),
        (math.nan, 3, "not finite"),
        (math.inf, 3, "not finite"),
        ("odd", 3, "odd"),
    ],
)
def test_number(value, decimals, expected):
    assert number(value, decimals) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0121, "+0.012"), (-0.0121, "−0.012"), (0.0, "0.000")],
)
def test_signed(value, expected):
    assert signed(value) == expected


def test_mean_and_deviation():
    values = [0.2, 0.5, 0.35, 0.9]
    assert mean(values) == pytest.approx(statistics.mean(values))
    assert deviation(values) == pytest.approx(statistics.stdev(values))
    assert mean([]) is None
    assert deviation([0.2]) is None
    assert deviation([0.2, math.nan]) is None


@pytest.mark.parametrize(
    ("values", "total", "expected"),
    [
        ([], 3, "–"),
        ([0.25], 1, "0.250"),
        ([0.25, 0.27], 2, "0.260 ± 0.014"),
        ([0.25, 0.27], 3, "0.260 ± 0.014 (2 of 3)"),
        ([0.25], 3, "0.250 (1 of 3)"),
        ([0.25, math.nan], 2, "not finite"),
    ],
)
def test_summary(values, total, expected):
    assert summary(values, total=total) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (38.24, "38.2 s"),
        (252.4, "4 min 12 s"),
        (119.7, "2 min 0 s"),
        (7260, "2 h 1 min"),
        (None, "–"),
    ],
)
def test_duration(seconds, expected):
    assert duration(seconds) == expected
