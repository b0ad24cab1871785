"""The table of classifiers: accuracy by start and by fraction of labels."""

import pathlib

from experiments import finished_runs


def write(output_dir):
    """Writes classifiers.md into a folder of runs.

    Args:
        output_dir: path of the folder that holds the runs' folders.

    Returns:
        pathlib.Path of the table.
    """
    output_dir = pathlib.Path(output_dir)
    runs = [run for run in finished_runs.read(output_dir) if "fraction" in run]
    runs.sort(
        key=lambda run: (
            run["fraction"],
            run["train"],
            run["start"] == "scratch",
            run["seed"],
        )
    )
    lines = _lines(runs) if runs else []
    return finished_runs.write(
        output_dir / "classifiers.md", "Classifiers", lines
    )


def _lines(runs):
    data, flags = runs[-1]["dataset"], runs[-1]["flags"]
    header = ["labels", "trained", "start", "seed", "validation", "test"]
    return [
        f"{data['name']}: labels of up to {data['train']} training images, "
        f"{data['validation']} for validation, {data['test']} to test; hash "
        f"{data['index_hash'][:16]}. {flags['epochs']} epochs of as many "
        f"steps for every fraction, batch {flags['batch_size']} or as many "
        f"as there are, "
        f"{flags['optimizer']}, views {flags['policy']}.",
        finished_runs.origin(runs),
        "",
        *finished_runs.table(header, map(_row, runs)),
    ]


def _row(run):
    return [
        f"{run['labels']} ({run['fraction']:.0%})",
        run["train"],
        run["start"],
        str(run["seed"]),
        *(
            # Validation images that were trained on have none.
            f"{run['results'][part]['accuracy']:.3f}"
            if part in run["results"]
            else ""
            for part in ("validation", "test")
        ),
    ]
