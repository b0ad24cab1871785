"""Ctrl-C that does not get lost.

Python raises KeyboardInterrupt wherever the program stands. Where that is a
finalizer or a call back from C, it is dropped, and training would go on for
hours; so it is remembered here, and raised again at the end of a batch. Where
it is a library's C code, another error may come of it.
"""

import contextlib
import signal
import sys

INTERRUPTED = 130


class Interrupts:
    """What has come while interrupts are remembered."""

    def __init__(self):
        self.came = False
        self._held = False

    @contextlib.contextmanager
    def remembered(self):
        """Remembers interrupts; leaves alone who ignores or handles them."""
        handler, hook = signal.getsignal(signal.SIGINT), sys.unraisablehook
        if handler is not signal.default_int_handler:
            yield
            return
        self.came = False
        signal.signal(signal.SIGINT, self._remember)
        sys.unraisablehook = _except_interrupts(hook)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, handler)
            sys.unraisablehook = hook

    @contextlib.contextmanager
    def held(self):
        """Lets what should not be left half done, such as a file, be done."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        self.heed()

    def heed(self):
        """Raises an interrupt that has come and did not end anything."""
        if self.came:
            raise KeyboardInterrupt

    def _remember(self, number, frame):
        self.came = True
        if not self._held:
            raise KeyboardInterrupt


INTERRUPTS = Interrupts()


def undo_ignored():
    """Has a new process end at interrupts; to be its `preexec_fn`.

    What a shell starts in the background has them ignored, and so has what
    that starts.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def means_an_interrupt(error):
    """Whether an error is an interrupt, or what a library made of one.

    Args:
        error: BaseException.

    Returns:
        bool.
    """
    return isinstance(error, KeyboardInterrupt) or INTERRUPTS.came


def _except_interrupts(hook):
    """Says nothing of a dropped interrupt, for it comes again."""

    def tell(dropped):
        if not issubclass(dropped.exc_type, KeyboardInterrupt):
            hook(dropped)

    return tell
