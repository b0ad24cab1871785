"""The report as Markdown, to be kept in a repository."""

import re

from experiments.report import charts
from experiments.report import findings
from experiments.report import provenance
from experiments.report import run_tables
from experiments.report import tables
from experiments.report.contrasts import contrasts_table
from experiments.report.figures import SPREAD_NOTE


def render(study):
    """Writes the report.

    Args:
        study: `runs.Study`.

    Returns:
        The report, str.
    """
    blocks = [
        "# Unsplit, split and mixed contrastive training",
        escape(" · ".join(provenance.headline(study))),
        f"**{escape(findings.verdict(study))}.** "
        + escape(" ".join(findings.paragraph(study))),
        *_problems(study),
        "## Clustering accuracy",
        *_clustering(study),
        *_titled(run_tables.settings_table(study), "##"),
        "## Other figures",
    ]
    for table in tables.further_tables(study):
        blocks += _titled(table)
    blocks += [
        *_titled(tables.geometry_table(study), "##"),
        *_pictures(study),
        *_titled(run_tables.runs_table(study), "##"),
        *_titled(run_tables.files_table(study)),
        *_titled(run_tables.full_table(study)),
        "## How it was made",
        *_provenance(study),
    ]
    return "\n\n".join(blocks) + "\n"


def escape(text):
    """Text as Markdown shows it, with nothing in it taken for markup.

    Args:
        text: anything; its `str` is taken.
    """
    text = " ".join(str(text).split())
    text = re.sub(r"([\\`*|\[\]~$])", r"\\\1", text)
    # An underscore inside a word is not markup, and settings have them.
    text = re.sub(r"(?<!\w)_|_(?!\w)", r"\_", text)
    text = text.replace("&", "&amp;")
    return text.replace("<", "&lt;").replace(">", "&gt;")


def _problems(study):
    if not study.problems:
        return []
    return [
        "Missing or unreadable:",
        "\n".join(f"- {escape(problem)}" for problem in study.problems),
    ]


def _clustering(study):
    if not study.labelled:
        return [escape(findings.NO_LABELS)]
    return [
        *_table(tables.clustering_table(study)),
        escape(SPREAD_NOTE),
        escape(findings.claim_note(study)),
        *_titled(contrasts_table(study)),
    ]


def _titled(table, level="###"):
    if table is None:
        return []
    return [f"{level} {escape(table.title)}", *_table(table)]


def _table(table):
    heads = []
    for name, count in table.groups or (("", len(table.columns)),):
        for column in table.columns[len(heads) : len(heads) + count]:
            heads.append(f"{name}, {column}" if name else column)
    lines = [
        [table.corner, *heads],
        ["---"] * (1 + len(heads)),
        *([_label(row), *map(_cell, row.cells)] for row in table.rows),
    ]
    lines[0] = [escape(head) for head in lines[0]]
    text = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    return [text, escape(table.note)] if table.note else [text]


def _label(row):
    label = escape(row.label)
    detail = f" ({escape(row.detail)})" if row.detail else ""
    if row.kind == "run":
        return f"· {label}{detail}"
    return f"{label}{detail}"


def _cell(cell):
    if isinstance(cell, str):
        return escape(cell)
    return " ".join(f"[{escape(link.text)}]({link.address})" for link in cell)


def _pictures(study):
    blocks = ["## Pictures"]
    for name, title in (
        ("views.png", "Views that training saw"),
        ("embedding.png", "Test images by their features"),
        ("curves.png", "Curves"),
    ):
        for run, _ in charts.pictures(study, name):
            words = escape(f"{title}: {run.setting}, {run.label}")
            address = run_tables.address(run, name)
            blocks.append(f"![{words}]({address})")
    return blocks if len(blocks) > 1 else [*blocks, "No picture was drawn."]


def _provenance(study):
    commands = "\n".join(provenance.commands(study))
    blocks = []
    if commands:
        # Longer than any run of backticks inside.
        inside = [len(run) for run in re.findall("`+", commands)]
        fence = "`" * max(3, 1 + max(inside, default=0))
        blocks.append(f"{fence}\n{commands}\n{fence}")
    facts = provenance.facts(study)
    blocks.append(
        "\n".join(f"- {escape(term)}: {escape(text)}" for term, text in facts)
        or "Nothing was recorded."
    )
    return blocks
