"""The finished runs of a folder, and tables of them in Markdown."""

import json


def read(output_dir):
    """Records of the finished runs, with their results and metrics.

    Args:
        output_dir: pathlib.Path of the folder that holds the runs' folders.

    Returns:
        List of dicts, as in `run.json`, and `results` and `metrics`.
    """
    runs = []
    for path in sorted(output_dir.glob("*/run.json")):
        record = json.loads(path.read_text())
        if record.get("status") == "finished":
            for name in ("results", "metrics"):
                file = path.parent / f"{name}.json"
                record[name] = json.loads(file.read_text())
            runs.append(record)
    return runs


def origin(runs):
    """Where runs were made: machines, versions, commits, the last command.

    Args:
        runs: list of records, not empty.

    Returns:
        str, a sentence.
    """
    run = runs[-1]
    machines = dict.fromkeys(_named(run["machine"]) for run in runs)
    commits = sorted({_short(name) for run in runs for name in run["commits"]})
    return (
        f"{', or '.join(machines)}; keras {run['versions']['keras']} on "
        f"{run['backend']}; commit {', '.join(commits)}. `{run['command']}`"
    )


def _named(machine):
    cores = f"{machine['cores']} cores of {machine['processor']}"
    return " and ".join([*machine.get("gpus", ()), cores])


def _short(commit):
    if commit is None:
        return "unknown"
    name, dash, dirty = commit.partition("-")
    return name[:12] + dash + dirty


def write(path, title, lines):
    """Writes a page of Markdown.

    Args:
        path: pathlib.Path.
        title: str.
        lines: list of str; what is said of no runs where it is empty.

    Returns:
        The path.
    """
    lines = [f"# {title}", "", *(lines or ["No run is finished yet."])]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def table(header, rows):
    """Lines of a table in Markdown.

    Args:
        header: list of str.
        rows: iterable of lists of str.

    Returns:
        List of str.
    """
    return [
        f"| {' | '.join(header)} |",
        "|" + "---|" * len(header),
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
