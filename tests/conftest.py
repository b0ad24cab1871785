"""Settings that every test shares."""

import os

import pytest

# Before TensorFlow is imported by any test.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("MPLBACKEND", "Agg")
# Tests start processes, which share a GPU.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")


@pytest.fixture
def tf():
    """TensorFlow, for what it alone has: graphs and SavedModels."""
    import keras

    if keras.backend.backend() != "tensorflow":
        pytest.skip("Needs the backend TensorFlow.")
    return pytest.importorskip("tensorflow")
