"""Times candidates side by side, and says on which machine.

Candidates take turns, one run of each a round, after runs to warm up. What
slows the machine for a while then slows all of them, and ratios within a
round hold where seconds do not.
"""

import importlib.metadata
import os
import platform
import resource
import statistics
import sys
import time

from experiments import machine as this_machine


def alternate(candidates, runs=5, warmups=1):
    """Runs candidates in turns.

    Args:
        candidates: dict from names to callables without arguments. What has
            finished when a callable returns is what is timed. One that
            returns a float has taken its own seconds, in another process for
            instance.
        runs: int, rounds that count.
        warmups: int, rounds before them that do not.

    Returns:
        Dict from names to lists of seconds, one for each round.
    """
    seconds = {name: [] for name in candidates}
    for number in range(-warmups, runs):
        taken = {name: _seconds(run) for name, run in candidates.items()}
        if number >= 0:
            for name, each in taken.items():
                seconds[name].append(each)
        done = f"round {number + 1} of {runs}" if number >= 0 else "warm-up"
        # What is cut short shall have told what it knew.
        print(
            f"  {done}: {', '.join(f'{each:.3f}' for each in taken.values())}",
            flush=True,
        )
    return seconds


def first_runs(candidates):
    """Runs each candidate once, before all others that are counted.

    What a first run takes more than a later one is what is done once:
    compiling, or starting worker processes.

    Args:
        candidates: as of `alternate`; those with a method `peak_memory()`
            are asked for their bytes after their run.

    Returns:
        Dict from names to seconds, and dict from names to bytes: the most
        memory that the process of a candidate had held until then.
    """
    seconds, peaks = {}, {}
    for name, run in candidates.items():
        seconds[name] = _seconds(run)
        if hasattr(run, "peak_memory"):
            peaks[name] = run.peak_memory()
        print(f"  first run: {name}, {seconds[name]:.1f} s", flush=True)
    return seconds, peaks


def table(seconds, amount=None, unit="images", more=None):
    """A table of seconds, rates and ratios; the first candidate is ours.

    Args:
        seconds: dict from names to lists, as of `alternate`.
        amount: int, how much of `unit` a run processes, or None.
        unit: str.
        more: dict from the heads of further columns to dicts from names of
            candidates to str.

    Returns:
        str, lines of Markdown. A ratio is how many times as long as ours a
        candidate took: median, least and most over the rounds.
    """
    ours = next(iter(seconds.values()))
    head = ["candidate", "median s", "least s", "times ours (least to most)"]
    if amount is not None:
        head.insert(3, f"{unit}/s")
    more = more or {}
    head += more
    rows = [head, ["---"] * len(head)]
    for name, values in seconds.items():
        median = statistics.median(values)
        ratios = [theirs / own for theirs, own in zip(values, ours)]
        row = [name, f"{median:.3f}", f"{min(values):.3f}"]
        if amount is not None:
            row.append(f"{amount / median:,.0f}")
        ratio = statistics.median(ratios)
        row.append(f"{ratio:.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
        row += [column.get(name, "") for column in more.values()]
        rows.append(row)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def machine(*packages):
    """The machine and the versions, in one line.

    Args:
        *packages: names of installed packages.

    Returns:
        str.
    """
    versions = [
        f"{name} {importlib.metadata.version(name)}" for name in packages
    ]
    parts = [
        *this_machine.gpus(),
        f"{os.cpu_count()} cores of {this_machine.processor()}",
        f"load {os.getloadavg()[0]:.1f} before the run",
        f"Python {platform.python_version()}",
        *versions,
    ]
    return ", ".join(parts)


def peak_memory():
    """The most bytes of resident memory that this process ever had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # In kilobytes, but on macOS.
    return peak * (1 if sys.platform == "darwin" else 1024)


def _seconds(run):
    start = time.perf_counter()
    own = run()
    elapsed = time.perf_counter() - start
    return own if type(own) is float else elapsed
