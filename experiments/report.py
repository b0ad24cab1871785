"""Writes the report of a study: report.html and report.md.

    python -m experiments.report --output_dir=runs/demo

Reads what lies in the folder and nothing else, so a report can be drawn
again at any time, while runs are under way, too.
"""

import pathlib

from experiments import report_page
from experiments import report_runs
from experiments import report_text


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
    study = report_runs.read(output_dir)
    page = pathlib.Path(output_dir) / "report.html"
    page.write_text(report_page.render(study), encoding="utf-8")
    page.with_suffix(".md").write_text(
        report_text.render(study), encoding="utf-8"
    )
    return page


if __name__ == "__main__":
    from absl import flags

    from experiments import command_line

    flags.DEFINE_string(
        "output_dir", "runs/three_settings", "Folder that holds the runs."
    )

    def main():
        """Draws the report that the flags name, and says where it lies."""
        with command_line.refusals():
            print(write(flags.FLAGS.output_dir).resolve())

    command_line.run(main, __doc__)
