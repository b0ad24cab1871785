"""The report's tables as plain data, the same for HTML and for Markdown."""

import dataclasses

from experiments.report.figures import CLUSTERING
from experiments.report.figures import FURTHER
from experiments.report.figures import GEOMETRY
from experiments.report.figures import NOT_MEASURED
from experiments.report.figures import number
from experiments.report.figures import summary
from experiments.report.figures import yes_or_no
from experiments.report.runs import CLAIMS
from experiments.report.runs import REPRESENTATIONS
from experiments.report.runs import SPLITS

# What was measured, in the order of the columns.
MEASURED = tuple((kind, split) for kind in REPRESENTATIONS for split in SPLITS)
CONTROL_NAMES = {
    "untrained": "untrained encoder",
    "pixels": "raw pixels",
    "pca": "PCA of pixels",
    "chance": "chance",
}


@dataclasses.dataclass(frozen=True)
class Link:
    """A link to a file of a run: its text, and its address in the folder."""

    text: str
    address: str


@dataclasses.dataclass(frozen=True)
class Row:
    """A row of a table.

    Args:
        label: str, what the row is about.
        cells: tuple of str, or of tuples of `Link`.
        kind: "setting", "run" (one seed of the setting above) or "control".
        detail: str, a few words behind the label.
    """

    label: str
    cells: tuple
    kind: str = "setting"
    detail: str = ""


@dataclasses.dataclass(frozen=True)
class Table:
    """A table.

    Args:
        title: str.
        columns: tuple of str, the heads of all columns but the first.
        rows: tuple of `Row`.
        corner: str, the head of the first column.
        groups: tuple of (str, int): heads over columns, and how many each.
        note: str, one or two sentences to stand under it.
    """

    title: str
    columns: tuple
    rows: tuple
    corner: str = "Setting"
    groups: tuple = ()
    note: str = ""


def clustering_table(study):
    """Clustering accuracy, beside the claims and the controls.

    Args:
        study: `runs.Study`.
    """
    claim = "Claimed on validation"
    if not study.comparable:
        claim = "Claimed for CIFAR-10, not comparable"
    table = figure_table(study, CLUSTERING, each_run=True)
    rows = []
    for row in table.rows:
        claimed = ""
        if row.kind == "setting":
            claimed = CLAIMS.get(row.label, NOT_MEASURED)
        rows.append(dataclasses.replace(row, cells=(*row.cells, claimed)))
    present = {row.label for row in rows}
    missing = [
        Row(name, (NOT_MEASURED,) * 4 + (CLAIMS[name],), detail="not run")
        for name in CLAIMS
        if name not in present
    ]
    first_control = sum(row.kind != "control" for row in rows)
    rows[first_control:first_control] = missing
    return dataclasses.replace(
        table,
        columns=(*table.columns, claim),
        rows=tuple(rows),
        groups=(*table.groups, ("The source", 1)),
    )


def figure_table(study, figure, each_run=False):
    """One figure of every setting and control.

    Args:
        study: `runs.Study`.
        figure: `figures.Figure`.
        each_run: whether a setting of several seeds has a row for each, too.
    """
    rows = []
    for setting in study.settings:
        rows.append(_setting_row(study, setting, figure))
        if each_run and len(study.of(setting)) > 1:
            rows += [_run_row(run, figure) for run in study.of(setting)]
    for name in _control_names(study):
        values = [study.control(name, *where, figure.key) for where in MEASURED]
        if any(value is not None for value in values):
            cells = tuple(number(value, figure.decimals) for value in values)
            label = CONTROL_NAMES.get(name, name)
            rows.append(Row(label, cells, "control", _reduced(study, name)))
    return Table(
        title=figure.title,
        columns=SPLITS * len(REPRESENTATIONS),
        rows=tuple(rows),
        groups=tuple((kind, len(SPLITS)) for kind in REPRESENTATIONS),
        note=figure.note,
    )


def further_tables(study):
    """A table for each other figure that was measured anywhere.

    Args:
        study: `runs.Study`.
    """
    return tuple(
        figure_table(study, figure)
        for figure in FURTHER
        if is_measured(study, figure)
    )


def is_measured(study, figure):
    """Whether a figure was measured in any finished run.

    Args:
        study: `runs.Study`.
        figure: `figures.Figure`.
    """
    return any(
        study.values(setting, *where, figure.key)
        for setting in study.settings
        for where in MEASURED
    )


def geometry_table(study):
    """Collapse and geometry on the test images, of features and projections.

    Args:
        study: `runs.Study`.

    Returns:
        A `Table`, or None if no run is finished.
    """
    figures = [each for each in GEOMETRY if is_measured(study, each)]
    rows = []
    for setting in study.settings:
        finished = study.of(setting, finished=True)
        if not finished:
            continue
        cells = []
        for kind in REPRESENTATIONS:
            cells.append(_collapse_text(study, setting, kind))
            for each in figures:
                values = study.values(setting, kind, "test", each.key).values()
                cells.append(summary(values, each.decimals, len(finished)))
        rows.append(Row(setting, tuple(cells), detail=_seeds(finished)))
    if not rows:
        return None
    rows += _geometry_controls(study, figures)
    notes = "; ".join(f"{each.title}: {each.note}" for each in figures)
    return Table(
        title="Geometry on the test images",
        columns=("collapsed", *(each.title for each in figures)) * 2,
        rows=tuple(rows),
        groups=tuple((kind, 1 + len(figures)) for kind in REPRESENTATIONS),
        note=f"{notes[:1].upper()}{notes[1:]}.",
    )


def collapsed(study, setting):
    """Where the runs of a setting collapsed, of either representation.

    Args:
        study: `runs.Study`.
        setting: name of the setting.

    Returns:
        List of str, e.g. "mixed, seed 1: projections on test", one a run.
    """
    found = []
    for run in study.of(setting, finished=True):
        where = [
            f"{kind} on {split}"
            for kind, split in MEASURED
            if run.figure(kind, split, "collapsed")
        ]
        if where:
            found.append(f"{setting}, {run.label}: {', '.join(where)}")
    return found


def _setting_row(study, setting, figure):
    """The mean over a setting's finished runs."""
    runs = study.of(setting)
    finished = study.of(setting, finished=True)
    cells = tuple(
        summary(
            study.values(setting, *where, figure.key).values(),
            figure.decimals,
            len(finished),
        )
        for where in MEASURED
    )
    detail = _state(runs[0]) if len(runs) == 1 else _seeds(finished)
    return Row(setting, cells, detail=detail)


def _run_row(run, figure):
    values = [run.figure(*where, figure.key) for where in MEASURED]
    cells = tuple(number(value, figure.decimals) for value in values)
    detail = "" if run.results is not None else run.state
    return Row(run.label, cells, "run", detail)


def _geometry_controls(study, figures):
    """A row for each control that has encodings."""
    rows = []
    for name in _control_names(study):
        cells = []
        for kind in REPRESENTATIONS:
            flag = study.control(name, kind, "test", "collapsed")
            cells.append(yes_or_no(flag))
            for each in figures:
                value = study.control(name, kind, "test", each.key)
                cells.append(number(value, each.decimals))
        if any(cell != NOT_MEASURED for cell in cells):
            label = CONTROL_NAMES.get(name, name)
            rows.append(Row(label, tuple(cells), "control"))
    return rows


def _state(run):
    if run.results is None:
        return f"{run.label}, {run.state}"
    return run.label


def _seeds(finished):
    if len(finished) == 1:
        return finished[0].label
    if not finished:
        return "no finished run"
    return f"{len(finished)} seeds"


def _control_names(study):
    known = [name for name in CONTROL_NAMES if name in study.controls]
    return known + [name for name in study.controls if name not in known]


def _reduced(study, name):
    """Of which pixels a control is, where images are larger."""
    size = study.controls_cost.get("pixels_reduced_to")
    if name not in ("pixels", "pca") or not size:
        return ""
    return f"of images brought to {size[0]} by {size[1]} pixels"


def _collapse_text(study, setting, kind):
    flags = list(study.values(setting, kind, "test", "collapsed").values())
    if not flags:
        return NOT_MEASURED
    if len(flags) == 1:
        return yes_or_no(flags[0])
    return f"{sum(map(bool, flags))} of {len(flags)}"
