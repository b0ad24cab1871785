"""One replica is the identity; two share what they must."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from keras_contrastive.distribution import replicas

ROOT = pathlib.Path(__file__).parents[2]

TWO_REPLICAS = """
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2
)
from keras_contrastive import losses
from keras_contrastive.distribution import replicas

strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
generator = np.random.default_rng(0)
whole = generator.normal(size=(2, 8, 4)).astype("float32")

def gradients_of(view_1, view_2, positions):
    with tf.GradientTape() as tape:
        tape.watch([view_1, view_2])
        rows = losses.nt_xent(
            view_1,
            view_2,
            0.3,
            candidates_1=replicas.all_gather(view_1),
            candidates_2=replicas.all_gather(view_2),
            positions=positions,
        )
        total = replicas.all_sum(tf.cast(tf.size(rows), "float32"))
        loss = tf.reduce_sum(rows) / total
    return loss, *tape.gradient(loss, [view_1, view_2])

expected = gradients_of(*tf.constant(whole), tf.range(8))

@tf.function
def share():
    mine = 4 * replicas.index() + tf.range(4)
    views = [tf.gather(tf.constant(view), mine) for view in whole]
    return *gradients_of(*views, mine), replicas.count()

loss, gradient_1, gradient_2, count = [
    strategy.experimental_local_results(each) for each in strategy.run(share)
]
assert {int(each) for each in count} == {2}
np.testing.assert_allclose(sum(loss), expected[0], rtol=1e-6)
for found, wanted in zip((gradient_1, gradient_2), expected[1:]):
    np.testing.assert_allclose(
        np.concatenate(found), wanted, rtol=1e-4, atol=1e-6
    )
"""


def test_one_replica_is_the_identity():
    values = np.arange(6.0).reshape(3, 2)
    assert replicas.count() == 1
    assert replicas.index() == 0
    assert replicas.all_gather(values) is values
    assert replicas.all_sum(values) is values


def test_nt_xent_over_two_replicas_is_that_of_the_whole_batch():
    pytest.importorskip("tensorflow")
    subprocess.run(
        [sys.executable, "-c", TWO_REPLICAS],
        check=True,
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
    )
