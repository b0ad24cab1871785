"""What a study's diagrams draw: bars of the comparison, lines over epochs."""

from experiments.report.diagrams import Bar
from experiments.report.diagrams import Line
from experiments.report.diagrams import draw_comparison
from experiments.report.diagrams import draw_history
from experiments.report.figures import CLUSTERING
from experiments.report.figures import mean
from experiments.report.figures import number
from experiments.report.figures import summary
from experiments.report.findings import PRIMARY
from experiments.report.findings import best_control
from experiments.report.runs import CLAIMS
from experiments.report.runs import SETTINGS
from experiments.report.tables import CONTROL_NAMES
from experiments.report.tables import is_measured

# Colours in the style sheet; settings beyond them take turns.
NUM_SERIES = 8

# Logged name and title.
HISTORIES = (
    ("loss", "Loss"),
    ("contrastive_accuracy", "Contrastive accuracy"),
    ("knn_accuracy", "kNN accuracy"),
    ("clustering_accuracy", "Clustering accuracy on validation"),
)


def series(study, setting):
    """The colour of a setting, the same in every report for those we know.

    Args:
        study: `runs.Study`.
        setting: name of the setting.

    Returns:
        int from 0 to NUM_SERIES - 1.
    """
    if setting in SETTINGS:
        return SETTINGS.index(setting)
    others = [name for name in study.settings if name not in SETTINGS]
    return (len(SETTINGS) + others.index(setting)) % NUM_SERIES


def comparison(study):
    """The diagram of clustering accuracy on test images, by setting.

    Args:
        study: `runs.Study`.

    Returns:
        Markup, str; empty if clustering was not measured.
    """
    if not is_measured(study, CLUSTERING):
        return ""
    bars = [_setting_bar(study, setting) for setting in study.settings]
    for name in CONTROL_NAMES:
        if name == "chance" or name not in study.controls:
            continue
        values = [
            study.control(name, kind, PRIMARY[1], CLUSTERING.key)
            for kind in ("features", "projections")
        ]
        if any(value is not None for value in values):
            features, projections = (
                () if value is None else (value,) for value in values
            )
            text = number(values[0])
            bars.append(
                Bar(CONTROL_NAMES[name], None, features, projections, text)
            )
    baseline = best_control(study)
    return draw_comparison(
        bars,
        baseline=baseline and baseline[1],
        chance=study.control("chance", *PRIMARY, CLUSTERING.key),
    )


def histories(study):
    """The diagrams of what was logged at each epoch.

    Args:
        study: `runs.Study`.

    Returns:
        List of (title, markup); the markup is empty where nothing was logged.
    """
    epochs = max((run.epochs for run in study.runs), default=0)
    for run in study.runs:
        epochs = max([epochs, *(epoch for epoch, _ in _points(run, "loss"))])
    return [
        (
            title,
            draw_history(
                [
                    line
                    for setting in study.settings
                    for line in _lines(study, setting, key)
                ],
                epochs=epochs,
            ),
        )
        for key, title in HISTORIES
    ]


def pictures(study, name):
    """A picture of each setting, of the first run that has it.

    Args:
        study: `runs.Study`.
        name: name of the file in a run's folder, e.g. "views.png".

    Returns:
        List of (run, path).
    """
    found = {}
    for run in sorted(study.runs, key=lambda run: run.results is None):
        path = run.folder / name
        if path.exists():
            found.setdefault(run.setting, (run, path))
    return [found[name] for name in study.settings if name in found]


def _setting_bar(study, setting):
    finished = study.of(setting, finished=True)
    features, projections = (
        tuple(study.values(setting, kind, PRIMARY[1], CLUSTERING.key).values())
        for kind in ("features", "projections")
    )
    if not finished:
        detail = f"{study.of(setting)[0].status}"
    elif len(finished) == 1:
        detail = "one seed"
    else:
        detail = f"{len(finished)} seeds"
    claim = CLAIMS.get(setting) if study.comparable else None
    return Bar(
        label=setting,
        series=series(study, setting),
        features=features,
        projections=projections,
        text=summary(features),
        detail=detail,
        claim=claim and float(claim),
    )


def _lines(study, setting, key):
    """A setting's mean over its seeds, above each of its runs."""
    runs = study.of(setting)
    colour = series(study, setting)
    curves = [(run, _points(run, key)) for run in runs]
    curves = [(run, points) for run, points in curves if points]
    if len(curves) < 2:
        return [Line(setting, colour, points) for _, points in curves]
    # A run that stopped early would make the mean jump where it ends.
    whole = [points for run, points in curves if run.results is not None]
    by_epoch = {}
    for points in whole or [points for _, points in curves]:
        for epoch, value in points:
            by_epoch.setdefault(epoch, []).append(value)
    average = tuple((e, mean(by_epoch[e])) for e in sorted(by_epoch))
    return [
        *(Line("", colour, points) for _, points in curves),
        Line(setting, colour, average),
    ]


def _points(run, key):
    return tuple(
        (epoch.get("epoch", index), epoch[key])
        for index, epoch in enumerate(run.metrics, start=1)
        if isinstance(epoch.get(key), (int, float))
    )
