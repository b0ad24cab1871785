"""Writes the report of a study: report.html and report.md.

    python -m experiments.report --output_dir=runs/demo

Reads what lies in the folder and nothing else, so a report can be drawn
again at any time, while runs are under way, too.
"""

import pathlib

from experiments.report import page
from experiments.report import runs
from experiments.report import text


def write(output_dir):
    """Writes report.html and report.md into a study's folder.

    Args:
        output_dir: path of the folder that holds the runs' folders,
            `<setting>_seed<k>`, and controls.json.

    Returns:
        Path of report.html.

    Raises:
        ValueError: if there is no such folder.
    """
    study = runs.read(output_dir)
    path = pathlib.Path(output_dir) / "report.html"
    path.write_text(page.render(study), encoding="utf-8")
    path.with_suffix(".md").write_text(text.render(study), encoding="utf-8")
    return path
