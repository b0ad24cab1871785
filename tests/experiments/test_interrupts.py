import contextlib
import gc
import os
import signal

import pytest

from experiments import command_line
from experiments import interrupts
from experiments.run_callbacks import HeedInterrupts


@pytest.fixture
def interruptible():
    """As in a terminal; what runs in the background ignores interrupts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class InterruptedAtItsEnd:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)


def lose_an_interrupt():
    dying = InterruptedAtItsEnd()
    del dying
    gc.collect()


def test_a_lost_interrupt_is_raised_again(interruptible, capfd):
    ours = interrupts.Interrupts()
    with ours.remembered():
        ours.heed()
        lose_an_interrupt()
        with pytest.raises(KeyboardInterrupt):
            ours.heed()
    assert capfd.readouterr().err == ""
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_training_ends_before_the_next_batch(interruptible, monkeypatch):
    ours = interrupts.Interrupts()
    monkeypatch.setattr("experiments.run_callbacks.INTERRUPTS", ours)
    heed = HeedInterrupts()
    with ours.remembered():
        heed.on_train_batch_begin(0)
        heed.on_epoch_end(0)
        lose_an_interrupt()
        with pytest.raises(KeyboardInterrupt):
            heed.on_train_batch_begin(1)
        with pytest.raises(KeyboardInterrupt):
            heed.on_epoch_end(1)


def test_other_errors_of_finalizers_are_still_told(interruptible):
    class Failing:
        def __del__(self):
            raise ValueError("told")

    told = []
    ours = interrupts.Interrupts()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.unraisablehook", told.append)
        with ours.remembered():
            dying = Failing()
            del dying
    assert told


def test_an_interrupt_elsewhere_ends_as_ever(interruptible):
    ours = interrupts.Interrupts()
    with ours.remembered(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("handler", [signal.SIG_IGN, lambda *_: None])
def test_who_ignores_or_handles_interrupts_goes_on(interruptible, handler):
    signal.signal(signal.SIGINT, handler)
    ours = interrupts.Interrupts()
    with ours.remembered(), contextlib.suppress(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is handler
    ours.heed()


def test_what_should_not_be_left_half_done_is_done(interruptible):
    ours, done = interrupts.Interrupts(), []
    with ours.remembered(), pytest.raises(KeyboardInterrupt):
        with ours.held():
            signal.raise_signal(signal.SIGINT)
            done.append("half")
        done.append("more")
    assert done == ["half"]
    # Not for ever.
    with ours.remembered(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_what_a_library_makes_of_an_interrupt_is_one(
    interruptible, monkeypatch, capsys
):
    """As where a file of h5py is closed in the middle of a write."""

    def main():
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            raise RuntimeError("Can't decrement id ref count")

    ours = interrupts.Interrupts()
    monkeypatch.setattr(interrupts, "INTERRUPTS", ours)
    with pytest.raises(SystemExit) as end:
        command_line._interruptible(main)
    assert end.value.code == interrupts.INTERRUPTED
    assert capsys.readouterr().err == "\nInterrupted.\n"


def test_other_errors_are_raised(interruptible):
    def main():
        raise RuntimeError("another")

    with pytest.raises(RuntimeError, match="another"):
        command_line._interruptible(main)
