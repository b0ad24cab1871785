"""The report's tables about runs: what each was, did, measured and left."""

import dataclasses
import urllib.parse

from experiments.report.figures import CLUSTERING
from experiments.report.figures import FURTHER
from experiments.report.figures import GEOMETRY
from experiments.report.figures import NOT_MEASURED
from experiments.report.figures import duration
from experiments.report.figures import number
from experiments.report.figures import yes_or_no
from experiments.report.runs import part
from experiments.report.tables import MEASURED
from experiments.report.tables import Link
from experiments.report.tables import Row
from experiments.report.tables import Table
from experiments.report.tables import is_measured

ASPECTS = ("images", "policies", "batches", "normalization", "inference")
_KMEANS = dataclasses.replace(
    CLUSTERING,
    key="clustering_accuracy_std",
    title="its deviation over seeds of k-means",
)


def settings_table(study):
    """What differed between the settings, in words.

    Args:
        study: `runs.Study`.
    """
    rows = []
    for setting in study.settings:
        described = [
            part(run.record, "setting_description") for run in study.of(setting)
        ]
        words = next((found for found in described if found), {})
        cells = tuple(str(words.get(key) or NOT_MEASURED) for key in ASPECTS)
        rows.append(Row(setting, cells))
    return Table(
        title="What differed between the settings",
        columns=(
            "Images",
            "View policies",
            "Composition of a batch",
            "Normalization in training",
            "Statistics at inference",
        ),
        rows=tuple(rows),
    )


def runs_table(study):
    """Every run: how far it came, its speed, size and data.

    Args:
        study: `runs.Study`.
    """
    rows = []
    for run in study.runs:
        seconds = part(run.record, "seconds")
        parameters = run.record.get("parameters")
        cells = (
            run.status,
            run.progress,
            _last_loss(run),
            number(run.record.get("images_per_second"), 0),
            duration(seconds.get("training")),
            duration(seconds.get("evaluation")),
            f"{parameters:,}" if isinstance(parameters, int) else NOT_MEASURED,
            str(part(run.record, "dataset").get("index_hash") or NOT_MEASURED),
        )
        rows.append(Row(run.name, cells))
    return Table(
        title="Every run",
        columns=(
            "status",
            "epochs",
            "last loss",
            "images/s",
            "training",
            "evaluation",
            "parameters",
            "index hash",
        ),
        rows=tuple(rows),
        corner="Run",
    )


def files_table(study):
    """Links to what lies in the runs' folders.

    Args:
        study: `runs.Study`.
    """
    return Table(
        title="Files of every run",
        columns=("files",),
        rows=tuple(Row(run.name, (_files(run),)) for run in study.runs),
        corner="Run",
    )


def full_table(study):
    """Every figure of every finished run, a row a representation and split.

    Args:
        study: `runs.Study`.

    Returns:
        A `Table`, or None if no run is finished.
    """
    figures = [
        each
        for each in (CLUSTERING, _KMEANS, *FURTHER, *GEOMETRY)
        if is_measured(study, each)
    ]
    rows = [
        Row(
            run.name,
            (
                f"{kind}, {split}",
                *(
                    number(run.figure(kind, split, each.key), each.decimals)
                    for each in figures
                ),
                yes_or_no(run.figure(kind, split, "collapsed")),
            ),
        )
        for run in study.runs
        if run.results is not None
        for kind, split in MEASURED
    ]
    if not rows:
        return None
    return Table(
        title="Every figure of every run",
        columns=(
            "measured on",
            *(each.title for each in figures),
            "collapsed",
        ),
        rows=tuple(rows),
        corner="Run",
    )


def address(run, name):
    """The relative address of a file of a run.

    Args:
        run: `runs.Run`.
        name: name of the file in the run's folder.
    """
    return urllib.parse.quote(f"{run.name}/{name}")


def _last_loss(run):
    losses = [epoch["loss"] for epoch in run.metrics if "loss" in epoch]
    return number(losses[-1]) if losses else NOT_MEASURED


def _files(run):
    """Links to what lies in a run's folder, as far as it does."""
    names = [
        path.name + "/" * path.is_dir()
        for path in sorted(run.folder.iterdir())
        if not path.name.startswith(".")
    ]
    return tuple(Link(name, address(run, name)) for name in names)
