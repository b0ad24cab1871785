"""The report as one HTML page that needs nothing beside itself.

Pictures and styles are inside; there is no script. The markup is well-formed
XML as well, so that a strict parser can read its tables.
"""

import base64
import pathlib

from experiments.report import charts
from experiments.report import figures
from experiments.report import findings
from experiments.report import provenance
from experiments.report import run_tables
from experiments.report import tables
from experiments.report.contrasts import contrasts_table
from experiments.report.diagrams import escape

STYLE = pathlib.Path(__file__).with_name("report.css")
TITLE = "Unsplit, split and mixed contrastive training"


def render(study):
    """Writes the page.

    Args:
        study: `runs.Study`.

    Returns:
        The page, str.
    """
    sections = (
        _result(study),
        _clustering(study),
        _settings(study),
        _histories(study),
        _further(study),
        _geometry(study),
        _pictures(study),
        _runs(study),
        _provenance(study),
    )
    extent = "".join(
        f"<li>{escape(words)}</li>" for words in provenance.headline(study)
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        '<meta name="viewport" content="width=device-width, '
        'initial-scale=1"/><meta name="color-scheme" content="light dark"/>'
        f"<title>{TITLE}</title>"
        f"<style>{STYLE.read_text(encoding='utf-8')}</style></head>"
        f"<body><header><h1>{TITLE}</h1><ul>{extent}</ul></header>"
        f"<main>{''.join(sections)}</main></body></html>\n"
    )


def _result(study):
    """The main result: headline, diagram, and what it shows in words."""
    diagram = charts.comparison(study)
    if diagram:
        diagram = (
            '<figure class="card"><figcaption>Clustering accuracy on the test '
            f"images</figcaption>{diagram}{_key(study)}</figure>"
        )
    words = " ".join(findings.paragraph(study))
    collapsed = [
        each
        for setting in study.settings
        for each in tables.collapsed(study, setting)
    ]
    unfinished = [
        f"{run.name}: {run.state}" for run in study.runs if run.results is None
    ]
    return (
        f'<section class="result"><h2>{escape(findings.verdict(study))}'
        f"</h2>{diagram}{_callout('Collapsed', collapsed, 'alarm')}"
        f"{_callout('Not finished', unfinished)}"
        f"{_callout('Missing or unreadable', study.problems)}"
        f'<h3>What this shows</h3><p class="lead">{escape(words)}</p>'
        "</section>"
    )


def _key(study):
    """What the marks of the comparison mean."""
    marks = [
        ("dot", "features"),
        ("ring", "projections"),
    ]
    if any(len(study.of(s, finished=True)) > 1 for s in study.settings):
        marks.append(("run", "one seed each"))
    if study.comparable:
        marks.append(("claim", "claimed by the source, on validation"))
    control = findings.best_control(study)
    if control is not None:
        name = tables.CONTROL_NAMES.get(control[0], control[0])
        level = figures.number(control[1])
        words = f"reached without training, up to {level} ({name})"
        marks.append(("band", words))
    chance = study.control("chance", *findings.PRIMARY, figures.CLUSTERING.key)
    if chance is not None:
        marks.append(("chance", f"chance, {figures.number(chance)}"))
    if not study.comparable:
        marks.append(("", "claims are for CIFAR-10 and not drawn"))
    items = "".join(
        f'<li><i class="{kind}"></i>{escape(words)}</li>'
        for kind, words in marks
    )
    return f'<ul class="key">{items}</ul>'


def _callout(title, sentences, kind="notice"):
    if not sentences:
        return ""
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return (
        f'<aside class="{kind}"><strong>{title}</strong><ul>{items}</ul>'
        "</aside>"
    )


def _clustering(study):
    if not study.labelled:
        words = findings.NO_LABELS
        return _section("Clustering accuracy", f"<p>{words}</p>")
    content = _table(study, tables.clustering_table(study))
    if any(len(study.of(s, finished=True)) > 1 for s in study.settings):
        content += f"<p>{figures.SPREAD_NOTE}</p>"
    content += f"<p>{escape(findings.claim_note(study))}</p>"
    differences = contrasts_table(study)
    if differences is not None:
        content += f"<h3>{differences.title}</h3>"
        content += _table(study, differences, "narrow")
    return _section("Clustering accuracy", content)


def _settings(study):
    table = run_tables.settings_table(study)
    return _section(table.title, _table(study, table, "stacked"))


def _histories(study):
    pictures = "".join(
        f'<figure class="card"><figcaption>{title}</figcaption>'
        f"{markup}</figure>"
        for title, markup in charts.histories(study)
        if markup
    )
    missing = [
        title.lower() for title, markup in charts.histories(study) if not markup
    ]
    note = (
        "<p>Horizontally the epochs; a thin line is one of several seeds. "
        "kNN and clustering were watched on some validation images.</p>"
    )
    if missing:
        note += f"<p>Not logged: {', '.join(missing)}.</p>"
    return _section("Training", f'<div class="grid">{pictures}</div>{note}')


def _further(study):
    content = "".join(
        f"<div><h3>{table.title}</h3>{_table(study, table, 'narrow')}</div>"
        for table in tables.further_tables(study)
    )
    if not content:
        content = "<p>Nothing else was measured: no run is finished, or the "
        content += "images have no labels.</p>"
    return _section("Other figures", f'<div class="grid wide">{content}</div>')


def _geometry(study):
    table = tables.geometry_table(study)
    if table is None:
        return _section("Collapse and geometry", "<p>No run is finished.</p>")
    return _section("Collapse and geometry", _table(study, table, "narrow"))


def _pictures(study):
    content = ""
    for name, title in (
        ("views.png", "Views that training saw"),
        ("embedding.png", "Test images by their features"),
    ):
        pictures = "".join(
            _picture(study, run, path, title)
            for run, path in charts.pictures(study, name)
        )
        pictures = pictures or "<p>No picture was drawn.</p>"
        content += f'<h3>{title}</h3><div class="grid three">{pictures}</div>'
    return _section("Pictures", content)


def _picture(study, run, path, title):
    source = base64.b64encode(path.read_bytes()).decode("ascii")
    words = escape(f"{run.setting}, {run.label}")
    colour = charts.series(study, run.setting)
    address = escape(run_tables.address(run, path.name))
    return (
        f'<figure class="card picture"><figcaption class="series-{colour}">'
        f'{words}</figcaption><a href="{address}"><img '
        f'alt="{title}: {words}" src="data:image/png;base64,{source}"/></a>'
        "</figure>"
    )


def _runs(study):
    content = _table(study, run_tables.runs_table(study))
    files = run_tables.files_table(study)
    content += f"<h3>{files.title}</h3>{_table(study, files, 'files')}"
    full = run_tables.full_table(study)
    if full is not None:
        content += (
            f"<details><summary>{full.title}</summary>"
            f"{_table(study, full)}</details>"
        )
    return _section("Runs", content)


def _provenance(study):
    commands = "\n".join(provenance.commands(study))
    content = f"<pre>{escape(commands)}</pre>" if commands else ""
    facts = "".join(
        f"<dt>{escape(term)}</dt><dd>{escape(text)}</dd>"
        for term, text in provenance.facts(study)
    )
    content += f"<dl>{facts}</dl>" if facts else "<p>Nothing was recorded.</p>"
    return _section("How it was made", content)


def _section(title, content):
    return f"<section><h2>{escape(title)}</h2>{content}</section>"


def _table(study, table, kind=""):
    """A table in a box of its own, which scrolls where it is too wide."""
    groups = ""
    if table.groups:
        groups = "".join(
            f'<th colspan="{count}" scope="colgroup">{escape(name)}</th>'
            for name, count in table.groups
        )
        groups = f'<tr class="groups"><td></td>{groups}</tr>'
    heads = "".join(
        f'<th scope="col">{escape(name)}</th>' for name in table.columns
    )
    rows = "".join(_row(study, table, row) for row in table.rows)
    note = f"<p>{escape(table.note)}</p>" if table.note else ""
    return (
        f'<div class="table {kind}" role="region" tabindex="0" '
        f'aria-label="{escape(table.title)}"><table><thead>{groups}<tr>'
        f'<th scope="col">{escape(table.corner)}</th>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{note}"
    )


def _row(study, table, row):
    colour = ""
    if row.kind == "setting" and row.label in study.settings:
        colour = f" series-{charts.series(study, row.label)}"
    detail = f" <small>{escape(row.detail)}</small>" if row.detail else ""
    cells = "".join(
        f'<td data-label="{escape(column)}">{_cell(cell)}</td>'
        for column, cell in zip(table.columns, row.cells, strict=True)
    )
    return (
        f'<tr class="{row.kind}{colour}"><th scope="row">'
        f"{escape(row.label)}{detail}</th>{cells}</tr>"
    )


def _cell(cell):
    if isinstance(cell, str):
        level, sign, spread = cell.partition(" ± ")
        small = f" <small>± {escape(spread)}</small>" if sign else ""
        return escape(level) + small
    return " ".join(
        f'<a href="{escape(link.address)}">{escape(link.text)}</a>'
        for link in cell
    )
