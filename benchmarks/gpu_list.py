"""The list of docs/gpu.md: what is to be run on a machine with a GPU.

    python -m benchmarks.gpu_list                    prints every command
    python -m benchmarks.gpu_list views on_device    runs those, in this order

What a command prints goes to RESULTS/NAME.txt, too, and of what it trains the
records and tables, not the weights, to RESULTS/NAME.tar.gz: a few MiB. All
commands together end within --seconds. One that has not ended by then is
interrupted and goes on when it is given again; what it has compiled is kept.
Needs no more than Python itself.
"""

import argparse
import contextlib
import dataclasses
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import tarfile
import threading
import time

from experiments.interrupts import undo_ignored
from experiments.methods import METHODS

# What an interrupted command has for its last words.
PATIENCE = 20
# Less than this is not worth a start.
LEAST = 45
SMALL = (".csv", ".html", ".json", ".md")
SMALL_BYTES = 4 * 2**20

EXACT = {
    "NVIDIA_TF32_OVERRIDE": "0",
    "JAX_DEFAULT_MATMUL_PRECISION": "float32",
}
BF16 = "--precision=mixed_bfloat16 --steps_per_execution=97"
FIELD = f"{BF16} --encoder=resnet18 --batch_size=512 --splits=8 --runs=3"
PRETRAIN = f"benchmarks.pretrain {FIELD} --count=50000"
ON_DEVICE = "benchmarks.on_device --count=50000 --epochs=5 --runs=3"
TESTS = "pytest -n 8 --dist loadfile"
# CIFAR-10's defaults, which a file is not given.
STUDY = "--batch_size=500 --learning_rate=0.01"
SETTINGS = (
    f"experiments.three_settings --dataset=DATA {STUDY} --epochs=10 "
    "--temperature=0.05"
)
TABLE = f"experiments.pretrain --dataset=DATA {STUDY} --epochs=5"
OTHERS = ",".join(name for name in METHODS if name != "simclr")
FIVE = "--settings=unsplit,split,mixed,split_random,multi_policy"
TENSORFLOW = {"KERAS_BACKEND": "tensorflow"}


@dataclasses.dataclass(frozen=True)
class Command:
    """What is run for an entry of the list.

    Attributes:
        module: str, the module and its flags; DATA stands for CIFAR-10,
            PYTHON for this Python.
        environment: dict of variables; the backend is JAX by default.
        folder: str, of its runs; by default the name of the entry.
    """

    module: str
    environment: dict = dataclasses.field(default_factory=dict)
    folder: str | None = None

    def arguments(self, name, data, runs, python):
        """The module and its flags, as a list.

        Args:
            name: str, of the entry.
            data: str, the dataset.
            runs: path of the folder of runs.
            python: str, this Python.

        Returns:
            List of str.
        """
        words = self.module.split()
        if words[0].startswith("experiments."):
            folder = pathlib.PurePath(runs, self.folder or name)
            words.append(f"--output_dir={folder}")
        for place, value in (("DATA", data), ("PYTHON", python)):
            words = [w.replace(f"={place}", f"={value}") for w in words]
        return words

    def variables(self):
        """The environment that it has beside that of the list.

        Returns:
            Dict.
        """
        return {"KERAS_BACKEND": "jax", **self.environment}


def recipe(name, more="", folder=None):
    """Pretraining by a recipe, in mixed precision.

    Args:
        name: str, of the file.
        more: str, further flags.
        folder: str, of its runs; by default the name of the entry.

    Returns:
        Command.
    """
    file = f"--flagfile=experiments/recipes/{name}.txt"
    words = f"experiments.pretrain {file} --dataset=DATA {BF16} {more}"
    return Command(words, folder=folder)


COMMANDS = {
    "tests_of_mathematics": Command(
        f"{TESTS} tests/losses tests/layers tests/metrics tests/optimizers",
        EXACT,
    ),
    "tests_of_views": Command(
        f"{TESTS} tests/views tests/encoders tests/evaluation tests/callbacks",
        EXACT,
    ),
    "tests_of_models": Command(f"{TESTS} tests/models tests/export", EXACT),
    "tests_on_tensorflow": Command(TESTS, {**EXACT, **TENSORFLOW}),
    "pretrain": Command(f"{PRETRAIN} --peer_python=PYTHON"),
    "pretrain_alone": Command(PRETRAIN),
    "pretrain_tensorflow": Command(PRETRAIN, TENSORFLOW),
    "train_step": Command(f"benchmarks.train_step {FIELD} --steps=97"),
    "on_device": Command(ON_DEVICE),
    "on_device_tensorflow": Command(ON_DEVICE, TENSORFLOW),
    "views": Command("benchmarks.views --count=50000"),
    **{
        f"{folder}_{seed}": recipe(name, f"--seeds={seed}", folder)
        for folder, name in (
            ("simclr200", "simclr_resnet18"),
            ("moco200", "moco_symmetric_resnet18"),
        )
        for seed in range(3)
    },
    "moco_asymmetric200": recipe("moco_resnet18"),
    # Its batch is 1,024: an epoch has 48 steps.
    "supcon200": recipe("supcon_resnet18", "--steps_per_execution=48"),
    "three_settings": Command(SETTINGS),
    # By itself: a folder holds runs of the same flags.
    "methods_simclr": Command(f"{TABLE} --method=simclr --temperature=0.05"),
    "methods": Command(f"{TABLE} --method={OTHERS}"),
    "simclr800": recipe("simclr_resnet18", "--epochs=800"),
    "moco800": recipe("moco_symmetric_resnet18", "--epochs=800"),
    "seeds_0_to_4": Command(f"{SETTINGS} {FIVE} --seeds=0,1,2,3,4"),
    "seeds_5_to_9": Command(f"{SETTINGS} {FIVE} --seeds=5,6,7,8,9"),
}


class Deadline:
    """Interrupts a process when its time is over, and kills it soon after.

    Args:
        process: subprocess.Popen, the first of its group.
        seconds: float.
    """

    def __init__(self, process, seconds):
        self.process = process
        self.passed = False
        self.timers = [
            threading.Timer(seconds, self._send, [signal.SIGINT]),
            threading.Timer(seconds + PATIENCE, self._send, [signal.SIGKILL]),
        ]
        for timer in self.timers:
            timer.daemon = True
            timer.start()

    def cancel(self):
        """Leaves the process alone from now on."""
        for timer in self.timers:
            timer.cancel()

    def _send(self, number):
        self.passed = True
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


def listing(data, runs):
    """Every command as a line for a shell, under its name.

    Args:
        data: str, the dataset.
        runs: path of the folder of runs.

    Returns:
        str.
    """
    lines = []
    for name, command in COMMANDS.items():
        variables = [f"{k}={v}" for k, v in command.variables().items()]
        python = "python3"
        words = [python, "-m", *command.arguments(name, data, runs, python)]
        lines += [f"{name}:", f"    {' '.join(variables)} {shlex.join(words)}"]
    return "\n".join(lines)


def run(name, data, runs, results, seconds):
    """Runs an entry of the list, and leaves its result in small files.

    Args:
        name: str, of the entry.
        data: str, the dataset.
        runs: pathlib.Path of the folder of runs.
        results: pathlib.Path of the folder of results.
        seconds: float, after which it is interrupted.

    Returns:
        bool, whether it came to its end and all was well.
    """
    command = COMMANDS[name]
    python = sys.executable
    words = [python, "-m", *command.arguments(name, data, runs, python)]
    results.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    process = subprocess.Popen(
        words,
        env=_environment(command, runs),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
        preexec_fn=undo_ignored,
    )
    deadline = Deadline(process, seconds)
    with open(results / f"{name}.txt", "a") as log:
        _tell(f"$ {shlex.join(words)}\n", log)
        for line in process.stdout:
            _tell(line, log)
        process.wait()
        deadline.cancel()
        ended = _ended(process.returncode, deadline.passed)
        _tell(f"==> {name} {ended}, {time.monotonic() - start:.0f} s\n", log)
    _pack(pathlib.Path(runs, command.folder or name), results, name)
    return process.returncode == 0


def _environment(command, runs):
    """The variables of this process, and those of the list."""
    return {
        "PYTHONUNBUFFERED": "1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "JAX_COMPILATION_CACHE_DIR": str(runs.absolute() / "compiled"),
        **os.environ,
        **command.variables(),
    }


def _tell(line, log):
    print(line, end="", flush=True)
    log.write(line)
    log.flush()


def _ended(code, interrupted):
    if code == 0:
        return "has ended"
    if interrupted:
        return "was interrupted; the same command again goes on"
    return f"has failed with exit code {code}"


def _pack(folder, results, name):
    """Puts a folder's small files, which are its records, into one."""
    small = [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix in SMALL and path.stat().st_size <= SMALL_BYTES
    ]
    if small:
        with tarfile.open(results / f"{name}.tar.gz", "w:gz") as archive:
            for path in small:
                archive.add(path, path.relative_to(folder.parent))


def main():
    """Prints the list, or runs what is named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--data", default="npz:data/cifar10_*.npz")
    parser.add_argument("--runs", default="runs/gpu", type=pathlib.Path)
    parser.add_argument("--results", default="results", type=pathlib.Path)
    parser.add_argument("--seconds", default=560.0, type=float)
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in COMMANDS]
    if unknown:
        parser.error(f"No {', '.join(unknown)}; there is {', '.join(COMMANDS)}")
    if not options.names:
        print(listing(options.data, options.runs))
    end = time.monotonic() + options.seconds
    failed = False
    for name in options.names:
        left = end - time.monotonic()
        if left < LEAST and name != options.names[0]:
            print(f"==> {name} was not begun: {max(left, 0):.0f} s are left")
            failed = True
            continue
        places = options.data, options.runs, options.results
        failed |= not run(name, *places, left)
    sys.exit(failed)


if __name__ == "__main__":
    main()
