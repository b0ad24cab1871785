import pytest

from benchmarks import measure


def test_candidates_take_turns_and_warm_up():
    calls = []
    candidates = {
        "ours": lambda: calls.append("ours"),
        "theirs": lambda: calls.append("theirs"),
    }
    seconds = measure.alternate(candidates, runs=3, warmups=2)
    assert calls == ["ours", "theirs"] * 5
    assert [len(values) for values in seconds.values()] == [3, 3]


def test_a_candidate_may_take_its_own_time():
    seconds = measure.alternate({"other process": lambda: 7.5}, runs=2)
    assert seconds == {"other process": [7.5, 7.5]}


def test_ratios_are_taken_round_by_round():
    """The machine slowed down in the third round: the ratio holds."""
    seconds = {"ours": [1.0, 1.0, 4.0], "theirs": [2.0, 3.0, 8.0]}
    ours, theirs = measure.table(seconds, amount=100).splitlines()[2:]
    assert ours == "| ours | 1.000 | 1.000 | 100 | 1.00 (1.00 to 1.00) |"
    assert theirs == "| theirs | 3.000 | 2.000 | 33 | 2.00 (2.00 to 3.00) |"


def test_first_runs_tell_seconds_and_memory():
    class Held:
        def __call__(self):
            return 2.5

        def peak_memory(self):
            return 7

    seconds, peaks = measure.first_runs({"held": Held(), "plain": lambda: 0.5})
    assert seconds == {"held": 2.5, "plain": 0.5}
    assert peaks == {"held": 7}


def test_further_columns_stand_last():
    seconds = {"ours": [1.0], "theirs": [2.0]}
    more = {"peak": {"theirs": "9"}, "share": {"ours": "1", "theirs": "2"}}
    head, _, ours, theirs = measure.table(seconds, more=more).splitlines()
    assert head.endswith("| peak | share |")
    assert ours.endswith("1.00 (1.00 to 1.00) |  | 1 |")
    assert theirs.endswith("2.00 (2.00 to 2.00) | 9 | 2 |")


def test_machine_names_cores_and_versions():
    line = measure.machine("numpy")
    assert "cores" in line and "numpy 2" in line
    with pytest.raises(Exception, match="nothing_such"):
        measure.machine("nothing_such")
