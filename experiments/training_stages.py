"""The stages of a run: what learns, and in which epochs.

Most methods have one. Siamese's two are told apart by what its model calls
`stage`, and each has an optimizer and a course of the learning rate of its
own.
"""

import typing


class Stage(typing.NamedTuple):
    """Epochs in which the same weights learn.

    Attributes:
        name: str, the model's `stage`, or None where it has none to choose.
        begin: int, epochs before.
        end: int, epochs when it is over.
    """

    name: str
    begin: int
    end: int


def stages(flags):
    """All stages of a run.

    Args:
        flags: dict, the run's, with `epochs` and maybe
            `discriminator_epochs`.

    Returns:
        List of `Stage`.
    """
    epochs, more = flags["epochs"], flags.get("discriminator_epochs")
    if more is None:
        return [Stage(None, 0, epochs)]
    return [
        Stage("encoder", 0, epochs),
        Stage("discriminator", epochs, epochs + more),
    ]


def left(flags, done):
    """The stages that a run is still to go through.

    Args:
        flags: as in `stages`.
        done: int, the epochs that it has had.

    Returns:
        List of `Stage`. The first one is that of the run's checkpoint, even
        where no epoch of it is left.
    """
    return [stage for stage in stages(flags) if done <= stage.end]
