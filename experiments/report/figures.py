"""The figures that a report shows, and how a number is written.

A mean is written with its standard deviation over seeds (n - 1 in the
denominator), and without one where there is a single seed.
"""

import dataclasses
import math
import statistics

NOT_MEASURED = "–"
SPREAD_NOTE = (
    "Several seeds: mean ± standard deviation over the finished runs, each "
    "run below its setting or in the table of every figure of every run."
)


@dataclasses.dataclass(frozen=True)
class Figure:
    """A figure of the evaluation.

    Args:
        key: its name in results.json.
        title: its name in the report.
        note: what it is, one sentence.
        decimals: digits behind the point.
    """

    key: str
    title: str
    note: str
    decimals: int = 3


CLUSTERING = Figure(
    "clustering_accuracy",
    "Clustering accuracy",
    "k-means with as many clusters as classes, fitted and scored on the same "
    "images; the share of images that the best one-to-one matching of "
    "clusters and classes gets right; mean over the seeds of k-means.",
)

# What needs labels, beside the clustering accuracy.
FURTHER = (
    Figure(
        "nmi",
        "Normalized mutual information",
        "Between clusters and classes: 0 is independent, 1 the same.",
    ),
    Figure(
        "ari",
        "Adjusted Rand index",
        "Pairs of images on which clusters and classes agree: 0 is chance.",
    ),
    Figure(
        "purity",
        "Purity",
        "Share of images in the commonest class of their cluster.",
    ),
    Figure(
        "knn_accuracy",
        "kNN accuracy",
        "Weighted vote of the nearest training images.",
    ),
    Figure(
        "linear_probe_accuracy",
        "Linear probe accuracy",
        "A linear classifier on what the frozen encoder gives.",
    ),
    Figure(
        "similarity_auroc_dot",
        "Same class or not, by dot product",
        "AUROC of telling pairs of one class from pairs of two: 0.5 is "
        "chance. The dot product is the source's similarity.",
    ),
    Figure(
        "similarity_auroc_euclidean",
        "Same class or not, by distance",
        "The same AUROC by Euclidean distance.",
    ),
)

GEOMETRY = (
    Figure(
        "uniformity",
        "uniformity",
        "log of the mean Gaussian potential of pairs, lower is more even",
    ),
    Figure(
        "effective_rank",
        "effective rank",
        "how many directions the encodings use",
        1,
    ),
    Figure(
        "spread",
        "spread",
        "how far apart the encodings lie, near 0 when all images look "
        "alike to the network",
    ),
)


def number(value, decimals=3):
    """A number as the report writes it.

    Args:
        value: a number, or None.
        decimals: digits behind the point.

    Returns:
        A string, a dash for None.

    Example:

    >>> number(0.26749)
    '0.267'
    """
    if value is None:
        return NOT_MEASURED
    if not isinstance(value, (int, float)):
        return str(value)
    if not math.isfinite(value):
        return "not finite"
    # A plain hyphen would break the line between sign and number.
    return f"{value:.{decimals}f}".replace("-", "\N{MINUS SIGN}")


def signed(value, decimals=3):
    """A difference, with its sign even if it is positive.

    Args:
        value: float.
        decimals: digits behind the point.

    Example:

    >>> signed(0.0121)
    '+0.012'
    """
    text = number(value, decimals)
    return f"+{text}" if value > 0 else text


def yes_or_no(flag):
    """A flag in words, a dash for None.

    Args:
        flag: bool, or None.
    """
    if flag is None:
        return NOT_MEASURED
    return "yes" if flag else "no"


def mean(values):
    """The mean of some numbers, None of none.

    Args:
        values: iterable of floats.
    """
    values = list(values)
    return sum(values) / len(values) if values else None


def deviation(values):
    """The standard deviation (n - 1), None of fewer than two numbers.

    Args:
        values: iterable of floats.
    """
    values = list(values)
    if len(values) < 2 or not all(map(math.isfinite, values)):
        return None
    return statistics.stdev(values)


def summary(values, decimals=3, total=None):
    """Mean and standard deviation of runs that differ in their seed.

    Args:
        values: iterable of floats, one a run.
        decimals: digits behind the point.
        total: number of runs there are, if some lack this figure.

    Returns:
        A string, e.g. "0.254 ± 0.004"; without a spread for one run.

    Example:

    >>> summary([0.25, 0.27])
    '0.260 ± 0.014'
    >>> summary([0.25])
    '0.250'
    """
    values = list(values)
    text = number(mean(values), decimals)
    spread = deviation(values)
    if spread is not None:
        text = f"{text} ± {number(spread, decimals)}"
    if values and total is not None and len(values) < total:
        text = f"{text} ({len(values)} of {total})"
    return text


def duration(seconds):
    """A time in words of the clock.

    Args:
        seconds: float, or None.

    Example:

    >>> duration(252.4)
    '4 min 12 s'
    """
    if not isinstance(seconds, (int, float)) or not math.isfinite(seconds):
        return NOT_MEASURED
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"
