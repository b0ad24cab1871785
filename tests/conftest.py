"""Settings that every test shares."""

import os

import pytest

# Before TensorFlow is imported by any test.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("MPLBACKEND", "Agg")
# Tests start processes, which share a GPU.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")

# What takes minutes is begun first, so that at the end no processor idles;
# `-m "not slow"` leaves it out.
LONGEST = (
    "distribution/test_methods.py",
    "experiments/test_strategies.py",
    "backends/test_on_jax.py",
    "backends/test_backends.py",
    "experiments/test_workers.py",
    "experiments/test_pretrain.py",
    "experiments/test_backends.py",
    "distribution/test_jax_devices.py",
    "benchmarks/test_benchmarks.py",
    "experiments/test_three_settings.py",
    "models/test_replicated.py",
    "models/test_jax_step.py",
    "benchmarks/test_gpu_list.py",
)


def pytest_configure(config):
    """Lets pytest-xdist, where it is, take files in the order given here."""
    config.option.loadscopereorder = False


# Before pytest chooses by marks.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Marks what takes longest, and puts it first."""
    items.sort(key=_rank)
    for item in items:
        if _rank(item) < len(LONGEST):
            item.add_marker("slow")


def _rank(item):
    name = "/".join(item.path.parts[-2:])
    return LONGEST.index(name) if name in LONGEST else len(LONGEST)


@pytest.fixture
def tf():
    """TensorFlow, for what it alone has: graphs and SavedModels."""
    import keras

    if keras.backend.backend() != "tensorflow":
        pytest.skip("Needs the backend TensorFlow.")
    return pytest.importorskip("tensorflow")
