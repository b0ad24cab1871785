"""Starts local workers of one cluster, and watches over them.

    python -m experiments.launch --workers=2 -- \\
        python -m experiments.three_settings --strategy=multi_worker

What follows `--` is run once a worker, each with its own TF_CONFIG, by which
tf.distribute.MultiWorkerMirroredStrategy finds the others, on free ports of
this machine, and with a TMPDIR that is removed at the end. What the workers
print is shown with their numbers before it: `[0] `, `[1] `. Where
CUDA_VISIBLE_DEVICES lists at least as many devices as there are workers, each
worker sees an equal part of them.

When a worker dies, the others are ended too: by SIGTERM, and ten seconds
later by SIGKILL. Ctrl-C interrupts every worker, and kills those that have
not ended after 30 seconds; a second Ctrl-C kills them at once.

Ends with exit code 0 when all workers do, else with that of the worker that
died (1 where a signal killed it), or with 128 plus the number of the signal
that this command itself received.
"""

import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time

from absl import flags

from experiments import command_line
from experiments.worker_process import WorkerProcess

#: How often is looked whether a worker has ended.
POLL_SECONDS = 0.2
#: How long the others have to end after one has died.
TERMINATE_SECONDS = 10
#: How long all have to end after Ctrl-C.
INTERRUPT_SECONDS = 30
#: How long the system has to end what is killed.
KILL_SECONDS = 5

_HOST = "127.0.0.1"

flags.DEFINE_integer(
    "workers", 2, "Processes to start on this machine.", lower_bound=1
)


def main(command):
    """Runs the command as the flags ask, and ends with its exit code.

    Args:
        command: list of str, what each worker runs.
    """
    sys.exit(run_workers(command, flags.FLAGS.workers))


def run_workers(command, num_workers):
    """Runs a command as the workers of one cluster, to their end.

    Args:
        command: list of str, what each worker runs.
        num_workers: int >= 1.

    Returns:
        int, the exit code: 0 when all workers ended with 0.
    """
    # Of a worker that is killed nobody else would remove what it left.
    scratch = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    with scratch, _signals() as received, _Cluster(received) as cluster:
        with command_line.refusals():
            for environment in environments(num_workers):
                cluster.start(command, {**environment, "TMPDIR": scratch.name})
        return cluster.watch()


def environments(num_workers):
    """The environment of each worker.

    Args:
        num_workers: int >= 1.

    Returns:
        list of dict, `os.environ` with TF_CONFIG and this worker's devices.
    """
    addresses = [f"{_HOST}:{port}" for port in _free_ports(num_workers)]
    shares = _shares_of_devices(num_workers)
    places = [
        {
            "cluster": {"worker": addresses},
            "task": {"type": "worker", "index": index},
        }
        for index in range(num_workers)
    ]
    own = {"PYTHONUNBUFFERED": "1"}
    return [
        {**os.environ, **own, **share, "TF_CONFIG": json.dumps(place)}
        for place, share in zip(places, shares)
    ]


def _free_ports(count):
    """Ports that nobody listens on; all are held until all are found."""
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in held:
            each.bind((_HOST, 0))
        return [each.getsockname()[1] for each in held]


def _shares_of_devices(num_workers):
    """CUDA_VISIBLE_DEVICES of each worker, where there are enough."""
    listed = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    devices = [each.strip() for each in listed if each.strip()]
    size = len(devices) // num_workers
    if not size:
        return [{}] * num_workers
    if idle := devices[size * num_workers :]:
        _say(
            f"{num_workers} workers cannot share {len(devices)} devices "
            f"equally; left idle: {','.join(idle)}."
        )
    return [
        {"CUDA_VISIBLE_DEVICES": ",".join(devices[start : start + size])}
        for start in range(0, size * num_workers, size)
    ]


@contextlib.contextmanager
def _signals():
    """Collects what would end this process, for the workers to end first."""
    received = []
    numbers = [signal.SIGINT, signal.SIGTERM]
    # What runs under nohup is to outlive its terminal.
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {
        number: signal.signal(number, lambda it, _: received.append(it))
        for number in numbers
    }
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Cluster:
    """The workers that run, what they print, and how they end."""

    def __init__(self, received):
        self._received = received
        self._running = []
        self._count = 0
        self._selector = selectors.DefaultSelector()
        self._output_is_closed = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Leaves nothing running, whatever happened."""
        for worker in self._running:
            worker.signal(signal.SIGKILL)
        for worker in self._running:
            # A driver can keep a killed process from ending.
            with contextlib.suppress(subprocess.TimeoutExpired):
                worker.process.wait(KILL_SECONDS)
            worker.pipe.close()
        self._selector.close()

    def start(self, command, environment):
        """Starts one more worker."""
        worker = WorkerProcess(self._count, command, environment)
        self._count += 1
        self._running.append(worker)
        self._selector.register(worker.pipe, selectors.EVENT_READ, worker)

    def watch(self):
        """Waits until all have ended, or ends them; gives the exit code."""
        while self._running:
            ended = self._look()
            if self._received or self._output_is_closed:
                return self._interrupt()
            died = [worker for worker in ended if worker.code]
            if died:
                # Where several died since the last look, one that a signal
                # killed (by a negative code) is the cause, not a consequence.
                return self._end_after(min(died, key=lambda it: it.code > 0))
        return 0

    def _interrupt(self):
        """Ends all as Ctrl-C would, for what this process was sent."""
        # As the system does to whoever prints to a closed pipe.
        number = self._received[0] if self._received else signal.SIGPIPE
        text = (
            f"{signal.Signals(number).name}: the workers are interrupted, and "
            f"killed if they have not ended in {INTERRUPT_SECONDS} seconds, "
            "or at a second Ctrl-C."
        )
        self._end(text, signal.SIGINT, INTERRUPT_SECONDS)
        return 128 + number

    def _end_after(self, died):
        """Says how a worker ended, and ends the others."""
        index = died.index
        if died.code == command_line.REFUSED:
            text = f"Refused by worker {index}: see its lines, [{index}]."
        elif died.code == command_line.DIVERGED:
            text = "All is done; a run has diverged, see the lines of worker 0."
        else:
            text = (
                f"Worker {index} {_manner(died.code)}, so all workers are "
                "ended; the same command, without --overwrite, goes on from "
                "the last checkpoint."
            )
        self._end(text, signal.SIGTERM, TERMINATE_SECONDS)
        return died.code if died.code > 0 else 1

    def _end(self, text, number, seconds):
        """Says why, sends a signal to all, kills those that do not end."""
        # A second Ctrl-C may answer the text already.
        known = len(self._received)
        _say(text)
        for worker in self._running:
            worker.signal(number)
        self._wait(seconds, lambda: len(self._received) > known)
        for worker in self._running:
            _say(f"Worker {worker.index} has not ended, and is killed.")
            worker.signal(signal.SIGKILL)
        self._wait(KILL_SECONDS)

    def _wait(self, seconds, is_hurried=lambda: False):
        """Looks on while workers run and there is time."""
        until = time.monotonic() + seconds
        while self._running and time.monotonic() < until and not is_hurried():
            self._look()

    def _look(self):
        """Shows what was printed; returns the workers that have ended."""
        for key, _ in self._selector.select(POLL_SECONDS):
            lines = key.data.read()
            if lines is None:
                self._selector.unregister(key.fileobj)
            else:
                self._show(lines)
        ended = [each for each in self._running if each.has_ended()]
        for worker in ended:
            self._running.remove(worker)
            if worker.pipe in self._selector.get_map():
                self._selector.unregister(worker.pipe)
            self._show(worker.finish())
        return ended

    def _show(self, lines):
        """Writes whole lines, at once."""
        try:
            sys.stdout.buffer.write(lines)
            sys.stdout.flush()
        except OSError:
            # Nobody reads any more. What is still to come must go somewhere.
            self._output_is_closed = True
            with open(os.devnull, "wb") as nowhere:
                os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _manner(code):
    """How a process ended, in words."""
    if code > 0:
        return f"ended with exit code {code}"
    # Real-time signals have no names.
    names = {each.value: each.name for each in signal.Signals}
    return f"was killed by {names.get(-code, f'signal {-code}')}"


def _say(text):
    """Prints what the launcher itself has to say, if anybody reads it."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def _take_command(argv):
    """Removes what follows `--` from the arguments; the workers' command."""
    if "--" in argv:
        start = argv.index("--")
        command = argv[start + 1 :]
        if command[:1] in (["python"], ["python3"]):
            command[0] = sys.executable
    else:
        # Words that are no flags are a command whose `--` was forgotten.
        words = (
            index
            for index, word in enumerate(argv)
            if index and not (word.startswith("-") or word.isdigit())
        )
        start = next(words, len(argv))
        command = []
    del argv[start:]
    return command


def _check(command):
    """Refuses what cannot be started."""
    if not command:
        raise ValueError(
            "Nothing to run was given; write the workers' command after `--`, "
            "such as -- python -m experiments.three_settings "
            "--strategy=multi_worker."
        )
    if os.environ.get("TF_CONFIG"):
        raise ValueError(
            "TF_CONFIG is set, which makes this a worker of a cluster; unset "
            "it to start local workers, or run the command by itself."
        )


if __name__ == "__main__":
    workers_command = _take_command(sys.argv)
    command_line.run(
        lambda: main(workers_command),
        __doc__,
        check=lambda _: _check(workers_command),
    )
