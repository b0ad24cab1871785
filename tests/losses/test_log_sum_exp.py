import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive.losses.log_sum_exp import log_sum_exp_of_others
from tests.gradients import gradients
from tests.losses.checks import random_embeddings

ROOT = pathlib.Path(__file__).parents[2]
CHUNKS = [None, 1, 2, 3, 5, 7, 50]


def example(rows=7, columns=11, dim=4, dtype="float32"):
    """Anchors, some of the candidates but not in order, and their partners."""
    generator = np.random.default_rng(1)
    places = generator.permutation(columns)
    anchors = random_embeddings(rows, dim, seed=2, dtype=dtype)
    candidates = random_embeddings(columns, dim, seed=3, dtype=dtype)
    itself = places[:rows].astype("int32")
    partners = np.roll(places, 1)[:rows].astype("int32")
    return anchors, candidates, itself, partners


def by_loops(anchors, candidates, itself, partners):
    """Log-sum-exp, ranks, and softmax weights, one pair at a time."""
    products = anchors.astype("float64") @ candidates.T.astype("float64")
    log_sum_exp, ranks = [], []
    weights = np.zeros_like(products)
    for row, own in enumerate(products):
        others = [j for j in range(len(own)) if j != itself[row]]
        total = sum(np.exp(own[j]) for j in others)
        log_sum_exp.append(np.log(total))
        ranks.append(sum(own[j] > own[partners[row]] for j in others))
        for j in others:
            weights[row, j] = np.exp(own[j]) / total
    return np.array(log_sum_exp), np.array(ranks), weights


@pytest.mark.parametrize("chunk_size", CHUNKS)
@pytest.mark.parametrize("shape", [(7, 11, 4), (12, 12, 1), (1, 3, 2)])
def test_equals_the_loops(chunk_size, shape):
    arrays = example(*shape)
    expected, expected_ranks, _ = by_loops(*arrays)
    found, ranks = log_sum_exp_of_others(*arrays, chunk_size)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    np.testing.assert_array_equal(ranks, expected_ranks)
    without_ranks, none = log_sum_exp_of_others(
        *arrays[:3], chunk_size=chunk_size
    )
    np.testing.assert_allclose(without_ranks, expected, rtol=1e-5)
    assert none is None


@pytest.mark.parametrize("chunk_size", CHUNKS)
def test_gradient_is_by_the_softmax_weights(chunk_size):
    anchors, candidates, itself, partners = example()
    slopes = np.random.default_rng(4).normal(size=7)

    def value(anchors, candidates):
        found, ranks = log_sum_exp_of_others(
            anchors, candidates, itself, partners, chunk_size
        )
        # Ranks have no gradient.
        return ops.sum((found + ranks) * slopes.astype("float32"))

    weights = slopes[:, None] * by_loops(*example())[2]
    d_anchors, d_candidates = gradients(value, anchors, candidates)
    np.testing.assert_allclose(
        d_anchors, weights @ candidates, rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(
        d_candidates, weights.T @ anchors, rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("chunk_size", [None, 2])
def test_large_products_and_rows_without_others_are_finite(chunk_size):
    """A row without others has weights of zero, and so no gradient."""
    anchors = np.array([[300.0], [-300.0]], "float32")

    def value(anchors, candidates, itself):
        found, _ = log_sum_exp_of_others(
            anchors, candidates, itself, chunk_size=chunk_size
        )
        return ops.sum(found)

    both = np.array([0, 1], "int32")
    found = value(anchors, anchors, both)
    np.testing.assert_allclose(found, -2 * 300.0**2, rtol=1e-6)
    alone = np.array([0], "int32")
    assert np.isfinite(float(value(anchors[:1], anchors[:1], alone)))
    for each in gradients(
        lambda rows, columns: value(rows, columns, alone),
        anchors[:1],
        anchors[:1],
    ):
        np.testing.assert_array_equal(each, 0.0)


PEAKS = '''
import json, pathlib
import keras
import numpy as np
from keras import ops
from keras_contrastive.losses.log_sum_exp import log_sum_exp_of_others

# A matrix of 144 MB; rows of 3 MB.
COUNT, ROWS = 6000, 128
vectors = np.random.default_rng(0).normal(size=(COUNT, 32)).astype("float32")

def value(anchors, size):
    itself = np.arange(anchors.shape[0], dtype="int32")
    found, _ = log_sum_exp_of_others(
        anchors, 0.1 * anchors, itself, itself[::-1].copy(), size
    )
    return ops.mean(found)

if keras.backend.backend() == "jax":
    import jax
    compiled = jax.jit(jax.grad(value), static_argnums=1)
    runs = {"compiled": compiled}
else:
    import tensorflow as tf
    def eager(anchors, size):
        with tf.GradientTape() as tape:
            tape.watch(anchors)
            loss = value(anchors, size)
        return tape.gradient(loss, anchors)
    runs = {
        "eager": eager,
        "graph": tf.function(eager),
        "compiled": tf.function(eager, jit_compile=True),
    }
vectors = ops.convert_to_tensor(vectors)

def peak():
    """Megabytes. (What getrusage tells begins with the parent's.)"""
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    (line,) = [each for each in lines if each.startswith("VmHWM")]
    return int(line.split()[1]) / 1024

found = {}
for name, run in runs.items():
    float(run(vectors[:300], 100)[0, 0])
    before = peak()
    float(run(vectors, ROWS)[0, 0])
    found[name] = peak() - before
before = peak()
float(runs["compiled"](vectors, None)[0, 0])
found["matrix"] = peak() - before
print(json.dumps(found))
'''


@pytest.mark.skipif(sys.platform != "linux", reason="units of ru_maxrss differ")
def test_the_matrix_is_never_there():
    """Megabytes that a process grows by, forward and backward."""
    process = subprocess.run(
        [sys.executable, "-c", PEAKS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": keras.backend.backend()},
    )
    assert process.returncode == 0, process.stderr[-3000:]
    grown = json.loads(process.stdout.splitlines()[-1])
    assert grown.pop("matrix") > 100
    assert max(grown.values()) < 40, grown
