import keras
import numpy as np
import pytest
from keras import ops

from benchmarks import device
from benchmarks import measure


def test_machine_names_the_backend_and_its_packages():
    line = device.machine()
    backend = keras.backend.backend()
    assert line.startswith(f"{backend} on ")
    for package in ("keras", *device.PACKAGES[backend]):
        assert f"{package} " in line


def test_peak_memory_is_that_of_the_process():
    held = np.ones(2**26, "uint8")
    assert held.nbytes < measure.peak_memory() < 2**50
    assert 0 < device.peak_memory() < 2**50


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_matrix_rate_is_that_of_a_machine(dtype, monkeypatch):
    monkeypatch.setattr(device, "PROCESSOR", ((64, 128), 2))
    assert 1e6 < device.matrix_rate(dtype, repeats=2) < 1e16


def test_a_compiled_function_gives_what_it_computes():
    double = device.compiled(lambda x: 2 * x)
    given = ops.convert_to_tensor(np.arange(3, dtype="float32"))
    assert ops.convert_to_numpy(double(given)).tolist() == [0, 2, 4]


def test_waiting_takes_tensors_of_any_shape():
    for shape in ((), (2,), (2, 3, 1)):
        device.wait(ops.ones(shape))
