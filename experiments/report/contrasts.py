"""Differences between settings, paired by seed, with what seeds alone do.

Runs of two settings with the same seed start from the same weights, so their
difference is taken seed by seed. With n of them, Student's interval

    mean ± t(0.975, n - 1) * deviation / sqrt(n)

holds the true difference 95 times in 100. One seed has no interval. Several
contrasts are looked at and the intervals are not widened for that.
"""

import dataclasses
import math

from experiments.report.figures import CLUSTERING
from experiments.report.figures import NOT_MEASURED
from experiments.report.figures import deviation
from experiments.report.figures import mean
from experiments.report.figures import signed
from experiments.report.runs import REPRESENTATIONS
from experiments.report.tables import Row
from experiments.report.tables import Table

# The first against the second, and what that asks.
QUESTIONS = {
    ("unsplit", "one_subset"): "more images",
    ("split", "unsplit"): "the source's claim",
    ("mixed", "split"): "the source's claim",
    ("mixed", "unsplit"): "the source's claim",
    ("multi_policy", "unsplit"): "several view policies",
    ("split_random", "multi_policy"): "statistics of random groups",
    ("split", "split_random"): "subsets against random groups",
}


@dataclasses.dataclass(frozen=True)
class Contrast:
    """The difference of a setting from another, by clustering accuracy.

    Args:
        first: name of a setting.
        second: name of the setting subtracted from it.
        differences: tuple of floats, one for each seed that both have.
    """

    first: str
    second: str
    differences: tuple

    @property
    def mean(self):
        """Mean difference, or None if no seed is common to both."""
        return mean(self.differences)

    @property
    def interval(self):
        """(low, high) of the 95 % interval, None for fewer than two seeds."""
        spread = deviation(self.differences)
        if spread is None:
            return None
        from scipy.special import stdtrit

        count = len(self.differences)
        half = float(stdtrit(count - 1, 0.975)) * spread / math.sqrt(count)
        return self.mean - half, self.mean + half

    @property
    def told_apart(self):
        """Whether the interval leaves out zero; None without an interval."""
        if self.interval is None:
            return None
        low, high = self.interval
        return low > 0 or high < 0


def contrast(study, first, second, representation="features", split="test"):
    """Takes the difference between two settings.

    Args:
        study: `runs.Study`.
        first: name of a setting.
        second: name of the setting to subtract.
        representation: "features" or "projections".
        split: "validation" or "test".

    Returns:
        A `Contrast`.
    """
    minuend, subtrahend = (
        study.values(setting, representation, split, CLUSTERING.key)
        for setting in (first, second)
    )
    return Contrast(
        first,
        second,
        tuple(
            minuend[seed] - subtrahend[seed]
            for seed in minuend
            if seed in subtrahend
        ),
    )


def contrasts_table(study):
    """The differences that answer a question, on the test images.

    Args:
        study: `runs.Study`.

    Returns:
        A `tables.Table`, or None if no two settings can be compared.
    """
    rows = []
    for (first, second), question in QUESTIONS.items():
        found = [
            contrast(study, first, second, representation)
            for representation in REPRESENTATIONS
        ]
        if not any(each.differences for each in found):
            continue
        cells = [str(max(len(each.differences) for each in found))]
        for each in found:
            cells.extend(_cells(each))
        label = f"{first} − {second}"
        rows.append(Row(label, tuple(cells), detail=question))
    if not rows:
        return None
    return Table(
        title="Differences in clustering accuracy on the test images",
        corner="Difference",
        columns=("seeds",)
        + ("mean", "95 % interval", "told apart") * len(REPRESENTATIONS),
        rows=tuple(rows),
        groups=(("", 1), *((kind, 3) for kind in REPRESENTATIONS)),
        note="Paired by seed; Student's intervals, not widened for looking "
        "at several differences. One seed has no interval, and no difference "
        "can be told from the spread between seeds.",
    )


def _cells(each):
    if each.mean is None:
        return (NOT_MEASURED,) * 3
    if each.interval is None:
        return signed(each.mean), NOT_MEASURED, "cannot be told"
    low, high = each.interval
    interval = f"{signed(low)} to {signed(high)}"
    return signed(each.mean), interval, "yes" if each.told_apart else "no"
