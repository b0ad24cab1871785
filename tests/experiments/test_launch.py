"""The launcher of workers, with real processes that are small."""

import contextlib
import json
import os
import re
import selectors
import signal
import subprocess
import sys
import time

import pytest

from tests.experiments import scripts

# Shorter than the sleeps of workers that are to be ended.
SOON = 20
# The last makes a test fail whose workers are killed only at the very end.
CONSTANTS = {"TERMINATE_SECONDS": 0.5, "KILL_SECONDS": 600}
# Runs the launcher with other constants: NAME=VALUE,... workers code.
SHORTENED = """
import sys
from experiments import launch
for each in sys.argv[1].split(","):
    name, value = each.split("=")
    assert hasattr(launch, name)
    setattr(launch, name, float(value))
command = [sys.executable, "-c", *sys.argv[3:]]
sys.exit(launch.run_workers(command, int(sys.argv[2])))
"""
# What every worker below begins with.
PRELUDE = """
import json, os, pathlib, signal, subprocess, sys, time
index = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
def wait_for(*names):
    while not all(pathlib.Path(name).exists() for name in names):
        time.sleep(0.01)
"""
# A process that holds the pipe of `Witness` open as long as it lives.
HOLDER = "import time; print(flush=True); time.sleep(600)"


def command(code, workers=2, **constants):
    """The command line that runs the code as workers."""
    code = PRELUDE + code
    if not constants:
        arguments = [f"--workers={workers}", "--", "python", "-c", code]
        return scripts.command("launch", *arguments)
    settings = ",".join(f"{key}={value}" for key, value in constants.items())
    return [sys.executable, "-c", SHORTENED, settings, str(workers), code]


def environment(**variables):
    """The environment without what a cluster or a user has put there."""
    unset = ("TF_CONFIG", "CUDA_VISIBLE_DEVICES", "PYTHONUNBUFFERED")
    kept = {key: value for key, value in os.environ.items() if key not in unset}
    return {**kept, "PYTHONPATH": str(scripts.ROOT), **variables}


def launch(code, workers=2, folder=scripts.ROOT, variables=None, **constants):
    """Runs the code as workers, to the end."""
    return subprocess.run(
        command(code, workers, **constants),
        cwd=folder,
        env=environment(**(variables or {})),
        capture_output=True,
        timeout=60,
    )


@contextlib.contextmanager
def launched(code, workers=2, folder=scripts.ROOT, **constants):
    """The launcher while it runs."""
    process = subprocess.Popen(
        command(code, workers, **constants),
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # The tests themselves may run under nohup.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )
    try:
        yield process
    finally:
        # Where a test failed: the workers, at once, then the launcher.
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        process.kill()
        process.communicate()


def lines_of(process, index):
    """What a worker printed, without its prefix."""
    prefix = f"[{index}] ".encode()
    lines = process.stdout.split(b"\n")
    return [line[len(prefix) :] for line in lines if line.startswith(prefix)]


class Witness:
    """A named pipe that tells when all who hold it have ended.

    Unlike the table of processes it does not count those that have ended but
    that nobody has waited for.
    """

    code = """
alive = os.open("witness", os.O_WRONLY)
os.write(alive, b".")
"""

    def __init__(self, folder):
        self.path = folder / "witness"
        os.mkfifo(self.path)
        self.reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)

    def holders_when_all_have_ended(self):
        """How many held the pipe; fails where one does still."""
        seen = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self.reader, selectors.EVENT_READ)
            while selector.select(timeout=5):
                data = os.read(self.reader, 100)
                if not data:
                    os.close(self.reader)
                    return len(seen)
                seen += data
        raise AssertionError("a process lives still")


@pytest.fixture
def witness(tmp_path):
    return Witness(tmp_path)


def test_each_worker_gets_its_place_in_one_cluster():
    process = launch('print(os.environ["TF_CONFIG"])', workers=3)
    assert process.returncode == 0, process.stderr
    places = []
    for index in range(3):
        (line,) = lines_of(process, index)
        places.append(json.loads(line))
    assert [each["task"] for each in places] == [
        {"type": "worker", "index": index} for index in range(3)
    ]
    assert len({json.dumps(each["cluster"]) for each in places}) == 1
    (addresses,) = places[0]["cluster"].values()
    assert list(places[0]["cluster"]) == ["worker"]
    assert len(set(addresses)) == 3
    for address in addresses:
        assert re.fullmatch(r"127\.0\.0\.1:\d+", address)
    assert process.stderr == b""


def test_python_is_the_one_that_runs_the_launcher(tmp_path):
    """Also where a shell would find none."""
    variables = {"PATH": str(tmp_path)}
    process = launch("print(sys.executable)", 1, variables=variables)
    assert lines_of(process, 0) == [sys.executable.encode()]


def test_any_program_can_be_run():
    """With flags that the launcher has too, and a `--` of its own."""
    arguments = ["sh", "-c", 'echo "$@"', "sh", "--workers=3", "--", "--help"]
    process = scripts.run(
        "launch", "--workers=1", "--", *arguments, env=environment()
    )
    assert process.stdout == "[0] --workers=3 -- --help\n"
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("devices", "workers", "expected"),
    [
        ("0,1,2,3", 2, ["0,1", "2,3"]),
        ("3, 1,GPU-a", 3, ["3", "1", "GPU-a"]),
        ("4,5,6,7,8", 2, ["4,5", "6,7"]),
        ("5", 2, ["5", "5"]),
        ("", 1, [""]),
        (None, 2, ["none", "none"]),
    ],
)
def test_devices_are_shared_out(devices, workers, expected):
    variables = {} if devices is None else {"CUDA_VISIBLE_DEVICES": devices}
    code = 'print(os.environ.get("CUDA_VISIBLE_DEVICES", "none"))'
    process = launch(code, workers, variables=variables)
    shares = [lines_of(process, index) for index in range(workers)]
    assert shares == [[each.encode()] for each in expected]
    idle = b"left idle: 8." if devices == "4,5,6,7,8" else b""
    assert process.stderr.strip().endswith(idle)
    assert bool(process.stderr) == bool(idle)


def test_lines_of_workers_do_not_mix():
    """Workers write lines in parts, in turn to stdout and stderr."""
    code = """
for number in range(100):
    for part in range(5):
        (sys.stdout, sys.stderr)[number % 2].write(str(index) * 10)
        sys.stdout.flush()
    print(file=(sys.stdout, sys.stderr)[number % 2])
"""
    process = launch(code, workers=3)
    for index in range(3):
        assert lines_of(process, index) == [str(index).encode() * 50] * 100
    assert process.stdout.count(b"\n") == 300


def test_progress_bars_broken_letters_and_the_last_words():
    code = r"""
def write(data):
    os.write(1, data)
    time.sleep(0.1)
write(b"Epoch 1\n\b\b\r1/2")
write(b"\b\b\b\r2/2\r")
write(b"\n\n")
write("caf\u00e9 \u4e2d".encode()[:-1])
write("\u4e2d".encode()[-1:] + b" \xff|\r   \r")
write(b"no line end")
"""
    process = launch(code, workers=1)
    assert lines_of(process, 0) == [
        b"Epoch 1",
        b"1/2",
        b"2/2",
        b"",
        "caf\u00e9 \u4e2d \ufffd|".encode(),
        b"no line end",
    ]


def test_megabytes_without_a_line_end():
    code = """
sys.stdout.write(str(index) * 3_000_000)
"""
    process = launch(code)
    for index in range(2):
        shown = b"".join(lines_of(process, index))
        assert shown == str(index).encode() * 3_000_000
    # In pieces, so that a launcher does not keep all in memory.
    assert 4 <= process.stdout.count(b"\n") < 10
    assert process.returncode == 0


def test_a_worker_that_is_done_is_waited_for_and_the_others_go_on(tmp_path):
    """The first is no zombie while the second runs."""
    code = """
if index == 0:
    pathlib.Path("pid.part").write_text(str(os.getpid()))
    os.rename("pid.part", "pid")
    sys.exit()
wait_for("pid")
pid = int(pathlib.Path("pid").read_text())
for _ in range(500):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        print("gone")
        break
    time.sleep(0.01)
time.sleep(0.5)
print("done")
"""
    process = launch(code, folder=tmp_path)
    assert lines_of(process, 1) == [b"gone", b"done"]
    assert process.returncode == 0
    assert process.stderr == b""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_that_is_killed_ends_all(number, tmp_path, witness):
    """The others sleep: one that lets itself be ended, one that does not.

    Each of the three has started a process, which ignores SIGTERM.
    """
    code = f"""
{witness.code}
stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\\n"
child = subprocess.Popen(
    [sys.executable, "-c", stubborn + {HOLDER!r}],
    stdout=subprocess.PIPE, pass_fds=[alive],
)
child.stdout.readline()
if index == 2:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(f"ready{{index}}").touch()
if index == 1:
    wait_for("ready0", "ready2")
    print("last words", end="")
    os.kill(os.getpid(), {int(number)})
time.sleep(600)
"""
    start = time.monotonic()
    process = launch(code, 3, tmp_path, **CONSTANTS)
    assert time.monotonic() - start < SOON
    assert process.returncode == 1
    assert lines_of(process, 1) == [b"last words"]
    said = process.stderr.decode().splitlines()
    assert len(said) == 2
    assert said[0].startswith(f"Worker 1 was killed by {number.name}")
    assert "the same command, without --overwrite, goes on from" in said[0]
    assert said[1] == "Worker 2 has not ended, and is killed."
    assert witness.holders_when_all_have_ended() == 3


def test_others_have_time_to_end(tmp_path):
    """After SIGTERM, of which ten seconds are left."""
    code = """
def stop(*_):
    time.sleep(1)
    print("stopped")
    sys.exit()
if index == 1:
    wait_for("ready")
    sys.exit(7)
signal.signal(signal.SIGTERM, stop)
pathlib.Path("ready").touch()
time.sleep(600)
"""
    process = launch(code, folder=tmp_path)
    assert process.returncode == 7
    assert lines_of(process, 0) == [b"stopped"]
    (said,) = process.stderr.decode().splitlines()
    assert said.startswith("Worker 1 ended with exit code 7, so all")


def test_what_a_worker_leaves_behind_ends_with_it(tmp_path, witness):
    """Even where all is well, and though it holds the worker's output."""
    code = f"""
{witness.code}
subprocess.Popen([sys.executable, "-c", {HOLDER!r}], pass_fds=[alive])
print("done")
"""
    start = time.monotonic()
    process = launch(code, folder=tmp_path)
    assert time.monotonic() - start < SOON
    assert process.returncode == 0
    assert b"done" in lines_of(process, 0)
    assert witness.holders_when_all_have_ended() == 2


def test_what_has_left_its_worker_is_not_waited_for():
    """A process of a session of its own, though it holds the output."""
    code = """
subprocess.Popen(
    [sys.executable, "-c", "import time; time.sleep(15)"],
    start_new_session=True,
)
print("done")
"""
    start = time.monotonic()
    process = launch(code)
    assert time.monotonic() - start < 10
    assert process.returncode == 0
    assert lines_of(process, 1) == [b"done"]


@pytest.mark.parametrize("code", [1, 3, 255])
def test_the_exit_code_is_that_of_the_worker_that_died(code):
    process = launch(f"if index: sys.exit({code})\ntime.sleep(600)")
    assert process.returncode == code
    assert f"Worker 1 ended with exit code {code}," in process.stderr.decode()


def test_a_signal_is_the_cause_where_several_died(tmp_path, witness):
    """A real-time one, which has no name; the launcher slept meanwhile."""
    code = f"""
{witness.code}
print("started")
wait_for("go")
if index == 0:
    sys.exit(5)
os.kill(os.getpid(), signal.SIGRTMIN + 3)
"""
    with launched(code, folder=tmp_path) as process:
        for _ in range(2):
            process.stdout.readline()
        process.send_signal(signal.SIGSTOP)
        (tmp_path / "go").touch()
        assert witness.holders_when_all_have_ended() == 2
        # Its files are closed a little before a process has ended.
        time.sleep(0.2)
        process.send_signal(signal.SIGCONT)
        _, errors = process.communicate(timeout=SOON)
    assert process.returncode == 1
    number = signal.SIGRTMIN + 3
    assert errors.startswith(f"Worker 1 was killed by signal {number}, so")


def test_a_refusal_by_all_is_said_once_and_is_no_death():
    code = 'sys.exit(print("Refused: no.", file=sys.stderr) or 2)'
    process = launch(code, workers=3)
    assert process.returncode == 2
    assert b"Refused: no." in process.stdout
    (said,) = process.stderr.decode().splitlines()
    assert re.match(r"Refused by worker (\d): see its lines, \[\1\]\.$", said)


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
)
def test_ctrl_c_interrupts_every_worker(number, code):
    """As their scripts expect it; what they printed was shown before."""
    interrupted = """
try:
    print("started")
    time.sleep(600)
except KeyboardInterrupt:
    time.sleep(0.5)
    print("interrupted", end="")
    sys.exit(130)
"""
    with launched(interrupted) as process:
        started = {process.stdout.readline() for _ in range(2)}
        assert started == {"[0] started\n", "[1] started\n"}
        process.send_signal(number)
        output, errors = process.communicate(timeout=SOON)
    assert sorted(output.splitlines()) == ["[0] interrupted", "[1] interrupted"]
    assert process.returncode == code
    (said,) = errors.splitlines()
    assert said.startswith(f"{number.name}: the workers are interrupted")


def test_what_runs_under_nohup_outlives_its_terminal():
    code = """
os.kill(os.getppid(), signal.SIGHUP)
time.sleep(0.5)
print("done")
"""
    process = subprocess.run(
        ["nohup", *command(code)],
        cwd=scripts.ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )
    assert process.returncode == 0, process.stderr
    assert lines_of(process, 0) == lines_of(process, 1) == [b"done"]


@pytest.mark.parametrize("presses", [1, 2])
def test_workers_that_ignore_ctrl_c_are_killed(presses, tmp_path, witness):
    """After a time, or at once when it is pressed again."""
    code = f"""
{witness.code}
signal.signal(signal.SIGINT, signal.SIG_IGN)
print("started")
time.sleep(600)
"""
    seconds = 0.5 if presses == 1 else 600
    constants = {**CONSTANTS, "INTERRUPT_SECONDS": seconds}
    with launched(code, 2, tmp_path, **constants) as process:
        for _ in range(2):
            process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert "SIGINT" in process.stderr.readline()
        if presses == 2:
            assert process.poll() is None
            process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=SOON)
    assert process.returncode == 130
    assert errors.splitlines() == [
        f"Worker {index} has not ended, and is killed." for index in range(2)
    ]
    assert witness.holders_when_all_have_ended() == 2


def test_workers_end_when_nobody_reads_their_output(tmp_path, witness):
    code = f"""
{witness.code}
while True:
    print("more")
    time.sleep(0.1)
"""
    with launched(code, 2, tmp_path, INTERRUPT_SECONDS=5) as process:
        seen = set()
        while len(seen) < 2:
            seen.add(process.stdout.readline())
        process.stdout.close()
        process.stdout = None
        assert process.wait(SOON) == 128 + signal.SIGPIPE
        errors = process.stderr.read()
    assert "SIGPIPE" in errors
    assert "Traceback" not in errors
    assert witness.holders_when_all_have_ended() == 2


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "after `--`"),
        (["--workers=3", "--"], "after `--`"),
        (["--workers", "3", "python", "-c", "pass"], "after `--`"),
        (["--workers=0", "--", "python", "-c", "pass"], "--workers=0"),
        (["--worker=2", "--", "python", "-c", "pass"], "worker"),
        (["--", "no-such-program", "--help"], "'no-such-program'"),
        (["--", __file__], "test_launch.py"),
    ],
)
def test_refusals_come_at_once_in_one_sentence(
    arguments, expected, monkeypatch
):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    scripts.check_refusal("launch", arguments, expected)


def test_a_worker_starts_no_workers(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", "{}")
    arguments = ["--", "python", "-c", "pass"]
    scripts.check_refusal("launch", arguments, "TF_CONFIG is set")


def test_what_the_system_cannot_run_is_a_sentence_too(tmp_path):
    path = tmp_path / "program"
    path.write_text("\0")
    path.chmod(0o755)
    scripts.check_refusal("launch", ["--", str(path)], "cannot be run")


def test_help_is_read_before_anything_heavy_is_loaded():
    process = scripts.run("launch", "--help")
    assert process.returncode == 0
    assert "--workers (default: '2')" in process.stdout
    assert "-- \\\n        python -m experiments.three_settings" in (
        process.stdout
    )
    code = """
import sys
import experiments.launch
print(*sys.modules)
"""
    loaded = subprocess.run(
        [sys.executable, "-c", code],
        cwd=scripts.ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "experiments.launch" in loaded
    assert not {"tensorflow", "keras", "numpy"} & set(loaded)
