"""An environment in which XLA compiles quickly what need not run fast.

Small models run for milliseconds and are compiled for seconds. Processes that
train many of them have XLA leave out what it does for speed; scripts,
examples and tests of single parts have what users have.
"""

import functools
import os
import subprocess
import sys

FLAGS = ("--xla_cpu_use_fusion_emitters=false",)
# Convolutions of hundreds of channels would take minutes.
FLAGS_OF_SMALL_MODELS = (*FLAGS, "--xla_backend_optimization_level=0")


def environment(flags=FLAGS_OF_SMALL_MODELS, **variables):
    """This process's environment, what is given, and XLA's flags."""
    return {**os.environ, **_known(flags), **variables}


@functools.cache
def _known(flags):
    """The flags as a variable, or nothing if this XLA has no such flags."""
    before = os.environ.get("XLA_FLAGS", "")
    variable = {"XLA_FLAGS": " ".join([before, *flags])}
    # XLA ends the process at a flag that it does not know.
    process = subprocess.run(
        [sys.executable, "-c", "import jax; jax.devices()"],
        env={**os.environ, **variable},
        capture_output=True,
    )
    return {} if process.returncode else variable
