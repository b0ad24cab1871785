"""Times candidates side by side, and says on which machine.

Candidates take turns, one run of each a round, after runs to warm up. What
slows the machine for a while then slows all of them, and ratios within a
round hold where seconds do not.
"""

import importlib.metadata
import os
import pathlib
import platform
import statistics
import time


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
        for name, run in candidates.items():
            start = time.perf_counter()
            own = run()
            elapsed = time.perf_counter() - start
            if number >= 0:
                seconds[name].append(own if type(own) is float else elapsed)
        done = f"round {number + 1}" if number >= 0 else "warm-up"
        print(f"  {done} of {runs}", flush=True)
    return seconds


def table(seconds, amount=None, unit="images"):
    """A table of seconds, rates and ratios; the first candidate is ours.

    Args:
        seconds: dict from names to lists, as of `alternate`.
        amount: int, how much of `unit` a run processes, or None.
        unit: str.

    Returns:
        str, lines of Markdown. A ratio is how many times as long as ours a
        candidate took: median, least and most over the rounds.
    """
    ours = next(iter(seconds.values()))
    head = ["candidate", "median s", "least s", "times ours (least to most)"]
    if amount is not None:
        head.insert(3, f"{unit}/s")
    rows = [head, ["---"] * len(head)]
    for name, values in seconds.items():
        median = statistics.median(values)
        ratios = [theirs / own for theirs, own in zip(values, ours)]
        row = [name, f"{median:.3f}", f"{min(values):.3f}"]
        if amount is not None:
            row.append(f"{amount / median:,.0f}")
        ratio = statistics.median(ratios)
        row.append(f"{ratio:.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
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
        f"{os.cpu_count()} cores of {_processor()}",
        f"load {os.getloadavg()[0]:.1f} before the run",
        f"Python {platform.python_version()}",
        *versions,
    ]
    return ", ".join(parts)


def _processor():
    """The processor's name, as far as the system tells."""
    listing = pathlib.Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
