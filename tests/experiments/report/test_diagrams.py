import math
import re
import xml.etree.ElementTree as ElementTree

import pytest

from experiments.report.diagrams import LABEL_GAP
from experiments.report.diagrams import Bar
from experiments.report.diagrams import Line
from experiments.report.diagrams import draw_comparison
from experiments.report.diagrams import draw_history
from experiments.report.diagrams import escape
from experiments.report.diagrams import ticks


def parse(markup):
    return ElementTree.fromstring(f"<body>{markup}</body>")


def by_class(tree, name):
    return [each for each in tree.iter() if each.get("class") == name]


def percent(text):
    return float(text.removesuffix("%"))


def test_marks_stand_where_their_numbers_are():
    bar = Bar("split", 2, (0.2, 0.3), (0.4,), "0.250 ± 0.071", claim=0.37)
    tree = parse(draw_comparison([bar], baseline=0.15, chance=0.1))
    # The axis ends at 0.5, the first round number above 1.06 * 0.4.
    (scale,) = by_class(tree, "bar scale")
    assert [each.text for each in scale.iter("span")][-1] == "0.5"
    (dot,) = by_class(tree, "dot")
    (ring,) = by_class(tree, "ring")
    assert percent(dot.get("cx")) == pytest.approx(50)
    assert percent(ring.get("cx")) == pytest.approx(80)
    runs = [percent(each.get("cx")) for each in by_class(tree, "run")]
    assert runs == pytest.approx([40, 60])
    (band,) = by_class(tree, "band")
    assert percent(band.get("width")) == pytest.approx(30)
    (chance,) = by_class(tree, "chance")
    assert percent(chance.get("x1")) == pytest.approx(20)
    claim = next(each for each in tree.iter("svg") if each.get("x"))
    assert percent(claim.get("x")) == pytest.approx(74)
    assert "claimed 0.37" in "".join(tree.itertext())


def test_a_control_and_a_run_without_figures_are_drawn():
    bars = [
        Bar("mixed", 3, (), (), "–", detail="interrupted"),
        Bar("<pixels>", None, (0.2,), (), "0.200"),
    ]
    tree = parse(draw_comparison(bars))
    assert len(by_class(tree, "dot")) == 1 and not by_class(tree, "ring")
    assert "<pixels>" in "".join(tree.itertext())
    assert by_class(tree, "bar control") and by_class(tree, "bar series-3")


def test_a_history_goes_from_corner_to_corner():
    line = Line("split", 2, ((1, 4.0), (2, 5.0), (3, 8.0)))
    tree = parse(draw_history([line], epochs=3))
    (path,) = by_class(tree, "line series-2")
    points = re.findall(r"[ML]([\d.]+) ([\d.]+)h0", path.get("d"))
    points = [(float(x), float(y)) for x, y in points]
    # Upwards is towards 0: 8 at the top, 4 at the bottom.
    assert points == [(0, 100), (50, 75), (100, 0)]
    (end,) = by_class(tree, "end series-2")
    assert "".join(end.itertext()) == "split 8.00"


def test_a_line_breaks_where_a_value_is_not_finite():
    points = ((1, 4.0), (2, math.nan), (3, 5.0), (4, math.inf))
    tree = parse(draw_history([Line("a", 0, points)], epochs=4))
    (path,) = by_class(tree, "line series-0")
    assert path.get("d").count("M") == 2 and "L" not in path.get("d")
    assert "nan" not in path.get("d")
    (end,) = by_class(tree, "end series-0")
    assert "5.00" in "".join(end.itertext())


def test_nothing_finite_draws_nothing():
    assert draw_history([Line("a", 0, ((1, math.nan),))], epochs=1) == ""
    assert draw_history([], epochs=3) == ""


def test_one_run_of_several_has_no_label():
    lines = [Line("", 1, ((1, 1.0), (2, 2.0)))]
    tree = parse(draw_history(lines, epochs=2))
    assert by_class(tree, "line run series-1")
    assert not by_class(tree, "end series-1")


def test_labels_do_not_cover_each_other():
    ends = [5.0, 5.01, 5.02, 8.0, 4.99]
    lines = [
        Line(f"s{i}", i, ((1, 9.0), (2, end))) for i, end in enumerate(ends)
    ]
    tree = parse(draw_history(lines, epochs=2))
    places = {
        "".join(each.itertext()).split()[0]: percent(each.get("style")[4:])
        for each in tree.iter("span")
        if each.get("class").startswith("end")
    }
    ordered = sorted(places.values())
    gaps = [b - a for a, b in zip(ordered, ordered[1:])]
    assert min(gaps) > LABEL_GAP - 0.1
    # From top to bottom as the lines end: 8, 5.02, 5.01, 5, 4.99.
    assert sorted(places, key=places.get) == ["s3", "s2", "s1", "s0", "s4"]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 0.44, [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]),
        (0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (4.37, 5.61, [4.25, 4.5, 4.75, 5.0, 5.25, 5.5, 5.75]),
    ],
)
def test_ticks_are_round_and_enclose(low, high, expected):
    assert ticks(low, high, 5) == pytest.approx(expected)


@pytest.mark.parametrize("value", [0.0, 3.0, -2.0, 1e-9])
def test_ticks_of_a_single_value_enclose_it(value):
    marks = ticks(value, value, 4)
    assert marks[0] < value < marks[-1]


def test_escape_leaves_no_markup_and_no_control_characters():
    text = '<a href="x">&\'\x00\x0b\ud800\u00fc'
    assert ElementTree.fromstring(f"<p>{escape(text)}</p>").text == (
        '<a href="x">&\'\ufffd\ufffd\ufffd\u00fc'
    )
