"""Strategies by name, and arguments that do not go together."""

import keras
import numpy as np
import pytest

from keras_contrastive import distribution
from keras_contrastive import encoders
from keras_contrastive import models

ON_TENSORFLOW = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="tf.distribute"
)


@ON_TENSORFLOW
def test_default_is_what_tensorflow_does_by_itself():
    import tensorflow as tf

    assert distribution.strategy() is tf.distribute.get_strategy()


@ON_TENSORFLOW
def test_one_device():
    strategy = distribution.strategy("one_device", ["CPU:0"])
    assert strategy.num_replicas_in_sync == 1
    assert strategy.extended.worker_devices[0].endswith("CPU:0")


@ON_TENSORFLOW
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"name": "all"}, "`name` must be one of default"),
        ({"name": "default", "devices": ["CPU:0"]}, "`devices` goes with"),
        ({"name": "multi_worker", "devices": ["CPU:0"]}, "all GPUs"),
        ({"name": "one_device"}, "must name one device"),
        ({"name": "one_device", "devices": ["CPU:0", "CPU:1"]}, "one device"),
        ({"name": "one_device", "devices": ["GPU:7"]}, "of this machine's"),
        ({"name": "mirrored", "workers": ["a:1"]}, "go with 'multi_worker'"),
        ({"name": "mirrored", "task_index": 0}, "go with 'multi_worker'"),
        ({"name": "multi_worker", "workers": ["a:1"]}, "go together"),
        ({"name": "multi_worker", "task_index": 0}, "go together"),
        (
            {"name": "multi_worker", "workers": ["a:1"], "task_index": 1},
            "from 0 to 0 for 1 workers, received 1",
        ),
    ],
)
def test_slips_are_refused(arguments, sentence, monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(ValueError, match=sentence):
        distribution.strategy(**arguments)


@ON_TENSORFLOW
def test_workers_must_be_known(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(ValueError, match="TF_CONFIG, and received none"):
        distribution.strategy("multi_worker")


def test_another_backend_is_refused(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ValueError, match="tensorflow, or take data_parallel"):
        distribution.strategy("mirrored")
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(ValueError, match="KERAS_BACKEND=jax.$"):
        distribution.strategy("data_parallel")
    with pytest.raises(ValueError, match="tensorflow or jax, received torch"):
        distribution.logical_cpus(2)


@ON_TENSORFLOW
def test_what_does_nothing_on_tensorflow_is_refused():
    devices = keras.distribution.DataParallel(devices=["cpu:0", "cpu:1"])
    with devices.scope():
        encoder = encoders.two_conv((8, 8, 3), (2, 3), normalization=None)
        model = models.SimCLR(encoder, projector=None)
        model.compile("sgd")
        with pytest.raises(ValueError, match="needs the backend jax"):
            model.fit(np.zeros((4, 8, 8, 3), "uint8"))


def test_logical_cpus_are_some():
    with pytest.raises(ValueError, match="at least 1, received 0"):
        distribution.logical_cpus(0)
