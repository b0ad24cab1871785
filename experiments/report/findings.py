"""What a study shows, in words made from its numbers and never beyond them.

Each sentence is a rule that looks at the figures; a rule whose figures are
missing says nothing. Order and differences are read off the clustering
accuracy of features on the test images, fixed before any run.
"""

import math

from experiments.report.contrasts import contrast
from experiments.report.figures import CLUSTERING
from experiments.report.figures import mean
from experiments.report.figures import number
from experiments.report.figures import signed
from experiments.report.runs import CLAIMS
from experiments.report.tables import CONTROL_NAMES
from experiments.report.tables import MEASURED
from experiments.report.tables import collapsed
from experiments.report.tables import is_measured

DATASET_TITLES = {"cifar10": "CIFAR-10", "digits": "the digits"}
PRIMARY = ("features", "test")
NO_LABELS = (
    "The images have no labels: clustering accuracy, kNN and linear probe "
    "cannot be measured, and nothing can be said of the claims."
)


def dataset_title(study):
    """The name of the images as it stands in a sentence.

    Args:
        study: `runs.Study`.
    """
    name = study.dataset.get("name")
    return DATASET_TITLES.get(name, str(name or "these images"))


def verdict(study):
    """The main result in one line, the headline of the report.

    Args:
        study: `runs.Study`.
    """
    if not any(run.results is not None for run in study.runs):
        return "No run is finished yet"
    if not study.labelled:
        return "Without labels, clusters cannot be scored"
    if not is_measured(study, CLUSTERING):
        return "Clustering was not measured"
    order = _claimed_order(study)
    if len(order) < 2:
        return "One setting alone: there is no order to see"
    claim = "The claimed order"
    if not study.comparable:
        claim = "The order claimed for CIFAR-10"
    if not _is_seen(study, order, *PRIMARY):
        return f"{claim} was not seen on {dataset_title(study)}"
    steps = _steps(study, order)
    if all(step.interval and step.interval[0] > 0 for step in steps):
        return f"{claim} was seen on {dataset_title(study)}"
    if any(step.interval is None for step in steps):
        return (
            f"{claim} appears on {dataset_title(study)}, with too few seeds "
            "to trust it"
        )
    return (
        f"{claim} appears on {dataset_title(study)}, within the spread of "
        "the seeds"
    )


def paragraph(study):
    """What the study shows, as sentences.

    Args:
        study: `runs.Study`.

    Returns:
        List of sentences.
    """
    if not any(run.results is not None for run in study.runs):
        sentences = ["No run is finished, so there is nothing to conclude."]
    elif not study.labelled:
        sentences = [NO_LABELS]
    elif not is_measured(study, CLUSTERING):
        sentences = ["No finished run has a clustering accuracy."]
    else:
        sentences = [
            *_levels(study),
            *_order(study),
            *_spread(study),
            *_against_controls(study),
            *_against_claims(study),
            *_loss(study),
        ]
    return [*sentences, *_collapse(study), *_unfinished(study)]


def best_control(study):
    """The control with the best clusters of features on the test images.

    Args:
        study: `runs.Study`.

    Returns:
        (name, value), or None if no control was measured.
    """
    found = {
        name: study.control(name, *PRIMARY, CLUSTERING.key)
        for name in study.controls
    }
    found = {name: value for name, value in found.items() if value is not None}
    if not found:
        return None
    best = max(found, key=found.get)
    return best, found[best]


def claim_note(study):
    """What the claims are, and whether they can be compared.

    Args:
        study: `runs.Study`.
    """
    note = (
        "Claimed: what the source calls the validation accuracy of clusters, "
        "on CIFAR-10 with 2 convolutions; how it matched clusters with "
        "classes is not said."
    )
    if study.comparable:
        return note
    name = study.dataset.get("name")
    if name is None:
        return f"{note} Which images the runs saw is not recorded."
    return (
        f"{note} The images here are others, {name}, so the claims are "
        "printed and not comparable."
    )


def _mean(study, setting, kind, split):
    return mean(study.values(setting, kind, split, CLUSTERING.key).values())


def _levels(study):
    levels = {s: _mean(study, s, *PRIMARY) for s in study.settings}
    levels = {s: x for s, x in levels.items() if x is not None}
    if not levels:
        return []
    count = study.dataset.get("test")
    images = f"{count:,} test" if isinstance(count, int) else "test"
    listed = _join([f"{number(x)} ({s})" for s, x in levels.items()])
    seeds = max(len(study.of(s, finished=True)) for s in levels)
    return [
        f"On the {images} images of {dataset_title(study)}, clusters of the "
        f"features matched the classes with an accuracy of {listed}"
        f"{', means over seeds' if seeds > 1 else ''}."
    ]


def _claimed_order(study):
    """Settings with a claim and a figure, from the lowest claim up."""
    return [
        setting
        for setting in sorted(CLAIMS, key=lambda name: float(CLAIMS[name]))
        if _mean(study, setting, *PRIMARY) is not None
    ]


def _is_seen(study, order, kind, split):
    """Whether the means rise in an order; None where one is missing."""
    means = [_mean(study, setting, kind, split) for setting in order]
    if None in means:
        return None
    return all(low < high for low, high in zip(means, means[1:]))


def _steps(study, order):
    return [
        contrast(study, higher, lower, *PRIMARY)
        for lower, higher in zip(order, order[1:])
    ]


def _order(study):
    order = _claimed_order(study)
    if len(order) < 2:
        return []
    seen = {where: _is_seen(study, order, *where) for where in MEASURED}
    looked = [where for where in MEASURED if seen[where] is not None]
    where_seen = [f"{kind} on {split}" for kind, split in looked
                  if seen[kind, split]]  # fmt: skip
    claimed = f"The order claimed, {_chain(order)},"
    if len(where_seen) == len(looked):
        return [f"{claimed} was seen in {_join(where_seen)}."]
    actual = sorted(order, key=lambda name: _mean(study, name, *PRIMARY))
    if not where_seen:
        return [
            f"{claimed} was seen in none of {len(looked)} comparisons "
            "(features and projections, validation and test); features on "
            f"test give {_chain(actual)}."
        ]
    return [
        f"{claimed} was seen in {_join(where_seen)}, not in the other "
        f"{len(looked) - len(where_seen)} of {len(looked)} comparisons."
    ]


def _spread(study):
    steps = _steps(study, _claimed_order(study))
    sentences = []
    listed = [_step_text(step) for step in steps if step.interval is not None]
    if listed:
        sentences.append(
            "From step to step of that order, paired by seed and with 95 % "
            f"intervals: {'; '.join(listed)}."
        )
    alone = [
        step
        for step in steps
        if step.mean is not None and step.interval is None
    ]
    if alone:
        largest = max(abs(step.mean) for step in alone)
        sentences.append(
            "With one seed, differences below the spread between seeds "
            "cannot be told from chance, and that spread was not measured; "
            f"the largest step in the claimed order is {number(largest)}"
            f"{_sampling_error(study)}."
        )
    return sentences


def _step_text(step):
    low, high = step.interval
    if not step.told_apart:
        reach = "not told from the spread between seeds"
    elif low > 0:
        reach = "more than the spread between seeds explains"
    else:
        reach = "more than the spread between seeds explains, against the claim"
    return (
        f"{step.first} − {step.second} {signed(step.mean)} ({signed(low)} to "
        f"{signed(high)}, {len(step.differences)} seeds: {reach})"
    )


def _sampling_error(study):
    """Half a sentence on what the number of test images alone does."""
    count = study.dataset.get("test")
    levels = [_mean(study, s, *PRIMARY) for s in study.settings]
    levels = [x for x in levels if x is not None and 0 <= x <= 1]
    if not isinstance(count, int) or count < 1 or not levels:
        return ""
    error = max(math.sqrt(x * (1 - x) / count) for x in levels)
    return (
        f", and counting {count:,} test images alone has a standard error "
        f"of {number(error)}"
    )


def _against_controls(study):
    control = best_control(study)
    if control is None:
        return ["No control was measured, so nothing shows what training adds."]
    best, level = control
    gains = {s: _mean(study, s, *PRIMARY) for s in study.settings}
    gains = {s: x - level for s, x in gains.items() if x is not None}
    above = [f"{s} ({signed(x)})" for s, x in gains.items() if x > 0]
    below = [f"{s} ({signed(x)})" for s, x in gains.items() if x <= 0]
    parts = []
    if above:
        parts.append(f"above it lie {_join(above)}" if len(above) > 1
                     else f"above it lies {above[0]}")  # fmt: skip
    if below:
        parts.append(f"not above it {_join(below)}")
    return [
        f"The best control is {CONTROL_NAMES.get(best, best)} with "
        f"{number(level)}; {', '.join(parts)}."
    ]


def _against_claims(study):
    if not study.comparable:
        return [
            "The source's figures are claimed for CIFAR-10; other images can "
            "neither confirm nor refute them."
        ]
    pairs = {s: _mean(study, s, "features", "validation") for s in CLAIMS}
    listed = [
        f"{number(x)} where {CLAIMS[s]} is claimed ({s})"
        for s, x in pairs.items()
        if x is not None
    ]
    if not listed:
        return []
    return [
        f"On validation, which the claims are for, features give "
        f"{_join(listed)}; how the source matched clusters with classes is "
        "not said."
    ]


def _loss(study):
    """Says so if the setting of the lowest loss has not the best clusters."""
    losses = {}
    for setting in study.settings:
        last = [run.metrics[-1].get("loss") for run in
                study.of(setting, finished=True) if run.metrics]  # fmt: skip
        level = mean([x for x in last if x is not None])
        if level is not None and _mean(study, setting, *PRIMARY) is not None:
            losses[setting] = level
    if len(losses) < 2:
        return []
    lowest = min(losses, key=losses.get)
    best = max(losses, key=lambda name: _mean(study, name, *PRIMARY))
    if lowest == best:
        return []
    return [
        f"The lowest last loss, {number(losses[lowest])} of {lowest}, did "
        f"not come with the best clusters, which are those of {best}: losses "
        "of different settings are not measures of one thing."
    ]


def _collapse(study):
    found = [each for s in study.settings for each in collapsed(study, s)]
    if not found:
        return []
    return [f"Collapsed, and kept in all means: {'; '.join(found)}."]


def _unfinished(study):
    count = sum(run.results is None for run in study.runs)
    if not count:
        return []
    return [
        f"{count} of {len(study.runs)} runs "
        f"{'is' if count == 1 else 'are'} not finished and not in any mean."
    ]


def _chain(settings):
    """Settings from low to high, in one piece where a line breaks."""
    return "\N{NO-BREAK SPACE}<\N{NO-BREAK SPACE}".join(settings)


def _join(parts):
    """Joins words as a sentence does: a, b and c."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
