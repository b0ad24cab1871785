"""The report's diagrams, as HTML with inline SVG.

Horizontal positions are percentages, so a diagram is as wide as the page,
and text keeps its size on a phone. Colours are classes (`series-0`, ...)
that the style sheet defines for light and for dark pages; since colour alone
must not carry meaning, every line is labelled where it ends and has dashes
of its own.
"""

import dataclasses
import html
import math
import re

# Label height over the height of a plot, in percent: labels closer than this
# are moved apart.
LABEL_GAP = 10.0


@dataclasses.dataclass(frozen=True)
class Bar:
    """A line of the comparison: what one setting or control reached.

    Args:
        label: str.
        series: int, its colour; None for a control.
        features: tuple of floats, one a run.
        projections: tuple of floats, one a run.
        text: str, the number to print.
        detail: str, a few words to print under the label.
        claim: float or None, what the source claims.
    """

    label: str
    series: int | None
    features: tuple
    projections: tuple
    text: str
    detail: str = ""
    claim: float | None = None


@dataclasses.dataclass(frozen=True)
class Line:
    """A line of a history: a setting's mean, or one of its runs.

    Args:
        label: str, printed where the line ends; "" for none.
        series: int, its colour.
        points: tuple of (epoch, value), by epoch.
    """

    label: str
    series: int
    points: tuple


def draw_comparison(bars, *, baseline=None, chance=None):
    """Draws what each setting reached, on one scale from zero.

    Args:
        bars: sequence of `Bar`, from top to bottom.
        baseline: float, up to which a band says "without training"; or None.
        chance: float, where a dashed line says "chance"; or None.

    Returns:
        Markup of the diagram, str.

    Example:

    >>> bar = Bar("split", 2, (0.25,), (0.27,), "0.250", claim=0.37)
    >>> "split" in draw_comparison([bar], chance=0.1)
    True
    """
    numbers = [x for bar in bars for x in (*bar.features, *bar.projections)]
    numbers += [bar.claim for bar in bars] + [baseline, chance]
    numbers = [x for x in numbers if x is not None and math.isfinite(x)]
    marks = ticks(0.0, 1.06 * max(numbers, default=0.1), 6)
    top = marks[-1]
    background = _background(marks, baseline, chance)
    rows = "".join(_bar_row(bar, background, top) for bar in bars)
    scale = "".join(
        f'<span style="left:{_percent(mark / top)}">{_plain(mark)}</span>'
        for mark in marks
    )
    return (
        f'<div class="comparison">{rows}<div class="bar scale">'
        f'<div class="track">{scale}</div></div></div>'
    )


def draw_history(lines, *, epochs):
    """Draws a metric over the epochs, each mean labelled where it ends.

    Args:
        lines: sequence of `Line`.
        epochs: int, the last epoch of the horizontal axis.

    Returns:
        Markup of the diagram, str; empty if no line has a finite point.

    Example:

    >>> line = Line("split", 2, ((1, 5.1), (2, 4.6)))
    >>> "split" in draw_history([line], epochs=2)
    True
    """
    values = [
        value
        for line in lines
        for _, value in line.points
        if math.isfinite(value)
    ]
    if not values:
        return ""
    marks = ticks(min(values), max(values), 4)
    to_x = _scale(1, max(epochs, 2))
    to_y = _scale(marks[-1], marks[0])
    grid = "".join(
        f'<path class="grid" d="M0 {to_y(mark):.2f} H100"/>' for mark in marks
    )
    paths = "".join(_path(line, to_x, to_y) for line in lines)
    labels = "".join(
        f'<span class="y" style="top:{to_y(mark):.2f}%">{_plain(mark)}</span>'
        for mark in marks
    )
    labels += "".join(
        f'<span class="x" style="left:{to_x(mark):.2f}%">{mark:.0f}</span>'
        for mark in _epoch_marks(epochs)
    )
    return (
        '<div class="plot"><svg viewBox="0 0 100 100" '
        f'preserveAspectRatio="none" aria-hidden="true">{grid}{paths}</svg>'
        f"{labels}{_end_labels(lines, to_y)}</div>"
    )


def ticks(low, high, count):
    """Round numbers that enclose a range.

    Args:
        low: float.
        high: float.
        count: int, about how many steps.

    Returns:
        List of floats, the first at most `low`, the last at least `high`.

    Example:

    >>> ticks(0.0, 0.44, 5)
    [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
    """
    if high <= low:
        low, high = low - 0.5 * (abs(low) or 1), high + 0.5 * (abs(high) or 1)
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(
        power * factor
        for factor in (1, 2, 2.5, 5, 10)
        if power * factor >= rough * (1 - 1e-9)
    )
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def escape(text):
    """Text as HTML and XML hold it; control characters are replaced.

    Args:
        text: anything; its `str` is taken.
    """
    shown = re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]",
                   "\ufffd", str(text))  # fmt: skip
    return html.escape(shown, quote=True)


def _background(marks, baseline, chance):
    """What lies behind every row: band, grid and chance."""
    top = marks[-1]
    shapes = []
    if baseline is not None:
        width = _percent(baseline / top)
        shapes.append(f'<rect class="band" width="{width}" height="100%"/>')
    for mark in marks:
        x = _percent(mark / top)
        shapes.append(
            f'<line class="grid" x1="{x}" x2="{x}" y1="0" y2="100%"/>'
        )
    if chance is not None:
        x = _percent(chance / top)
        shapes.append(
            f'<line class="chance" x1="{x}" x2="{x}" y1="0" y2="100%"/>'
        )
    return "".join(shapes)


def _bar_row(bar, background, top):
    colour = "control" if bar.series is None else f"series-{bar.series}"
    shapes = _dots(bar.projections, top, 77, "ring", "projections")
    shapes += _dots(bar.features, top, 23, "dot", "features")
    if bar.claim is not None:
        x = _percent(bar.claim / top)
        shapes += (
            f'<svg x="{x}" y="50%" overflow="visible"><path class="claim" '
            f'd="M0 -7L7 0L0 7L-7 0Z"><title>claimed {_plain(bar.claim)}'
            "</title></path></svg>"
        )
    claimed = ""
    if bar.claim is not None:
        claimed = f"<small>claimed {_plain(bar.claim)}</small>"
    return (
        f'<div class="bar {colour}"><div class="name">{escape(bar.label)}'
        f"<small>{escape(bar.detail)}</small></div>"
        f'<div class="track"><svg aria-hidden="true">{background}{shapes}'
        f'</svg></div><div class="value">{escape(bar.text)}{claimed}</div>'
        "</div>"
    )


def _dots(values, top, y, shape, name):
    """The mean of some runs, and each run small and pale behind it."""
    values = [x for x in values if math.isfinite(x)]
    if not values:
        return ""
    shapes = ""
    if len(values) > 1:
        low, high = _percent(min(values) / top), _percent(max(values) / top)
        shapes += f'<line class="range" x1="{low}" x2="{high}" y1="{y}%" '
        shapes += f'y2="{y}%"/>'
        for value in values:
            shapes += f'<circle class="run" cx="{_percent(value / top)}" '
            shapes += f'cy="{y}%" r="3"/>'
    mean = sum(values) / len(values)
    return (
        f'{shapes}<circle class="{shape}" cx="{_percent(mean / top)}" '
        f'cy="{y}%" r="5.5"><title>{name} {mean:.3f}</title></circle>'
    )


def _path(line, to_x, to_y):
    """A line that breaks where a value is not finite."""
    commands, pen = [], "M"
    for epoch, value in line.points:
        if not math.isfinite(value):
            pen = "M"
            continue
        # A line of no length, with round caps, is a dot: one point shows.
        commands.append(f"{pen}{to_x(epoch):.2f} {to_y(value):.2f}h0")
        pen = "L"
    kind = "line" if line.label else "line run"
    return (
        f'<path class="{kind} series-{line.series}" d="{"".join(commands)}"/>'
    )


def _end_labels(lines, to_y):
    """Labels right of the plot, moved apart where they would overlap."""
    ends = []
    for line in lines:
        finite = [value for _, value in line.points if math.isfinite(value)]
        if line.label and finite:
            ends.append((to_y(finite[-1]), finite[-1], line))
    ends.sort(key=lambda end: end[0])
    places = _spread_out([place for place, _, _ in ends])
    return "".join(
        f'<span class="end series-{line.series}" style="top:{place:.2f}%">'
        f"{escape(line.label)} <b>{value:#.3g}</b></span>"
        for place, (_, value, line) in zip(places, ends)
    )


def _spread_out(places):
    """Moves sorted places apart to LABEL_GAP, as little as that needs."""
    groups = []
    for place in places:
        groups.append([place])
        while len(groups) > 1 and _overlap(*groups[-2:]):
            last = groups.pop()
            groups[-1].extend(last)
    return [
        sum(group) / len(group) + LABEL_GAP * (i - (len(group) - 1) / 2)
        for group in groups
        for i in range(len(group))
    ]


def _overlap(above, below):
    distance = sum(below) / len(below) - sum(above) / len(above)
    return distance < LABEL_GAP * (len(above) + len(below)) / 2


def _epoch_marks(epochs):
    if epochs <= 6:
        return range(1, max(epochs, 2) + 1)
    step = max(1, round(ticks(0, epochs, 5)[1]))
    others = range(step, epochs + 1, step)
    # A second number right behind the 1 would touch it.
    return [1, *(epoch for epoch in others if epoch - 1 > step / 2)]


def _scale(first, last):
    """Maps `first` to 0 and `last` to 100 percent."""
    # Adding zero turns a negative zero, which prints its sign, into zero.
    return lambda value: 100 * (value - first) / (last - first) + 0.0


def _percent(share):
    return f"{100 * share:.2f}%"


def _plain(value):
    return f"{value:g}".replace("-", "\N{MINUS SIGN}")
