"""Ctrl-C that does not get lost.

Python raises KeyboardInterrupt wherever the program stands. Where that is a
finalizer or a call back from C, it is dropped, and training would go on for
hours; so it is remembered here, and raised again at the end of a batch.
"""

import contextlib
import signal
import sys

INTERRUPTED = 130


class Interrupts:
    """What has come while interrupts are remembered."""

    def __init__(self):
        self.came = False

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

    def heed(self):
        """Raises an interrupt that has come and did not end anything."""
        if self.came:
            raise KeyboardInterrupt

    def _remember(self, number, frame):
        self.came = True
        raise KeyboardInterrupt


INTERRUPTS = Interrupts()


def _except_interrupts(hook):
    """Says nothing of a dropped interrupt, for it comes again."""

    def tell(dropped):
        if not issubclass(dropped.exc_type, KeyboardInterrupt):
            hook(dropped)

    return tell
