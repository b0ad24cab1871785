"""The table of methods: a row for each finished run of a folder.

Read from the runs' folders and written anew after every run, so that it is
right whatever was interrupted or added.
"""

import pathlib

from experiments import finished_runs
from experiments.methods import METHODS

COLUMNS = (
    ("clustering, features", "features", "clustering_accuracy"),
    ("clustering, projections", "projections", "clustering_accuracy"),
    ("kNN, features", "features", "knn_accuracy"),
    ("kNN, projections", "projections", "knn_accuracy"),
    ("linear probe", "features", "linear_probe_accuracy"),
)
GROUPS = ("all", "many", "medium", "few")


def write(output_dir):
    """Writes methods.md into a folder of runs.

    Args:
        output_dir: path of the folder that holds the runs' folders.

    Returns:
        pathlib.Path of the table.
    """
    output_dir = pathlib.Path(output_dir)
    order = list(METHODS)
    runs = [
        run
        for run in finished_runs.read(output_dir)
        if run.get("method") in order
    ]
    runs.sort(key=lambda run: (order.index(run["method"]), run["seed"]))
    lines = _lines(runs) if runs else []
    return finished_runs.write(output_dir / "methods.md", "Methods", lines)


def _lines(runs):
    data, flags = runs[-1]["dataset"], runs[-1]["flags"]
    tail = ""
    if flags["imbalance"] > 1:
        tail = f", imbalance factor {flags['imbalance']:g}"
    more = ", ".join(
        f"{count} of the discriminator after them"
        for count in sorted(_discriminator_epochs(runs))
    )
    more = more and f" ({more})"
    also = " of them" if flags["data_split"] == "full" else ""
    header = ["method", "labels", "seed", "loss, first to last epoch"]
    header += [name for name, *_ in COLUMNS] + ["images/s", "minutes"]
    lines = [
        f"{data['name']}: {data['train']} images to train on{tail}, "
        f"{data['validation']}{also} for validation, {data['test']} to test, "
        "from "
        f"which all figures are; hash {data['index_hash'][:16]}. "
        f"{flags['encoder']}, {flags['epochs']} epochs{more}, batch "
        f"{flags['batch_size']}, {flags['optimizer']} with learning rate "
        f"{flags['learning_rate']:g}, views {flags['policy']}.",
        finished_runs.origin(runs),
        "",
        *finished_runs.table(header, map(_row, runs)),
    ]
    rows = [row for run in runs for row in _long_tail_rows(run)]
    if rows:
        header = ["method", "seed", "predicted by", *GROUPS]
        lines += ["", *finished_runs.table(header, rows)]
    return lines


def _discriminator_epochs(runs):
    counts = {run["flags"].get("discriminator_epochs") for run in runs}
    return counts - {None}


def _row(run):
    # Of two stages the first one's, which is of another loss than the second.
    epochs = run["metrics"][: run["flags"]["epochs"]]
    losses = [record["loss"] for record in epochs]
    # An interrupted run has only its last part among its seconds.
    images = run["dataset"]["train"] * len(run["metrics"])
    return [
        run["method"],
        "yes" if METHODS[run["method"]].labels else "no",
        str(run["seed"]),
        f"{losses[0]:.3f} to {losses[-1]:.3f}",
        *(
            _share(run["results"][kind]["test"].get(figure))
            for _, kind, figure in COLUMNS
        ),
        f"{run['images_per_second']:,.0f}",
        f"{images / run['images_per_second'] / 60:.1f}",
    ]


def _long_tail_rows(run):
    for name, figures in run["results"].get("long_tail", {}).items():
        shares = [_share(figures[group]) for group in GROUPS]
        yield [run["method"], str(run["seed"]), name, *shares]


def _share(value):
    return "" if value is None else f"{value:.3f}"
