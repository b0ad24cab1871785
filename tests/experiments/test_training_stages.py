import pytest

from experiments import training_stages

ONE = {"epochs": 5, "discriminator_epochs": None}
TWO = {"epochs": 5, "discriminator_epochs": 3}


def test_most_runs_have_one_stage():
    for flags in (ONE, {"epochs": 5}):
        assert training_stages.stages(flags) == [(None, 0, 5)]


def test_the_discriminator_learns_after_the_encoder():
    assert training_stages.stages(TWO) == [
        ("encoder", 0, 5),
        ("discriminator", 5, 8),
    ]


@pytest.mark.parametrize(
    ("done", "names"),
    [
        (0, ["encoder", "discriminator"]),
        (4, ["encoder", "discriminator"]),
        # The checkpoint between the two is the encoder's.
        (5, ["encoder", "discriminator"]),
        (6, ["discriminator"]),
        (8, ["discriminator"]),
    ],
)
def test_a_run_goes_on_in_the_stage_of_its_checkpoint(done, names):
    assert [each.name for each in training_stages.left(TWO, done)] == names


def test_a_finished_run_still_has_its_stage():
    assert training_stages.left(ONE, 5) == training_stages.stages(ONE)
