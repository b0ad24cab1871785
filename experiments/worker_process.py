"""A worker of a cluster on this machine: its process, and what it prints.

What it prints comes in pieces that end anywhere, and is shown in whole lines,
so that the lines of several workers do not mix.
"""

import codecs
import contextlib
import io
import os
import re
import signal
import subprocess

# More than a pipe holds: one reading takes all that a dead worker left.
_READ_BYTES = 2**20
# What is longer without a line end is shown in pieces.
_LONGEST_LINE = 2**20


class WorkerProcess:
    """One process of the cluster, with all that it starts.

    Args:
        index: int, its number, which is shown before its lines.
        command: list of str, a program and its arguments.
        environment: dict of str, the process's whole environment.

    Raises:
        ValueError: if the program cannot be run.
    """

    def __init__(self, index, command, environment):
        self.index = index
        self._lines = _Lines(f"[{index}] ")
        try:
            self.process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
                # A group of its own, which signals reach as a whole.
                start_new_session=True,
            )
        except OSError as error:
            raise ValueError(
                f"{command[0]!r} cannot be run: {error.strerror}; give a "
                "program after `--`, such as python."
            ) from error
        self.pipe = self.process.stdout
        os.set_blocking(self.pipe.fileno(), False)

    @property
    def code(self):
        """The exit code, or minus the number of the signal that killed it."""
        return self.process.returncode

    def has_ended(self):
        """Whether the process has ended; what it started ends with it."""
        if self.process.poll() is None:
            return False
        self.signal(signal.SIGKILL)
        return True

    def signal(self, number):
        """Sends a signal to the process and to all that it started."""
        # macOS forbids to signal a group of which nothing is left to run.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

    def read(self):
        """The lines that are complete by now, as bytes; None at the end."""
        data = self.pipe.read(_READ_BYTES)
        return self._lines.cut(data or b"") if data != b"" else None

    def finish(self):
        """The last lines, complete or not, of a process that has ended."""
        lines = self._lines.cut(self.pipe.read(_READ_BYTES) or b"", last=True)
        self.pipe.close()
        return lines


class _Lines:
    """Cuts what a worker prints into lines, each with its prefix."""

    def __init__(self, prefix):
        self._prefix = prefix
        # Keeps a carriage return back until the next byte tells whether it is
        # half of a line end.
        self._decoder = io.IncrementalNewlineDecoder(
            codecs.getincrementaldecoder("utf-8")("replace"), translate=False
        )
        self._rest = ""

    def cut(self, data, last=False):
        """The lines that end within these bytes, encoded again."""
        pieces = re.split(r"(\r\n?|\n)", self._decoder.decode(data, last))
        pieces[0] = self._rest + pieces[0]
        self._rest = pieces.pop()
        lines = [
            line
            for line, end in zip(pieces[::2], pieces[1::2])
            # A progress bar wipes its line before it writes it anew.
            if end != "\r" or line.strip("\b ")
        ]
        if self._rest and (last or len(self._rest) > _LONGEST_LINE):
            lines.append(self._rest)
            self._rest = ""
        shown = "".join(
            f"{self._prefix}{line}\n".replace("\b", "") for line in lines
        )
        return shown.encode("utf-8")
