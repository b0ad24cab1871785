"""The fused kernels give what the neutral code gives."""

import importlib

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive.layers import row_normalization
from keras_contrastive.layers.split_assignment import split_assignment
from tests.layers.training import random_inputs
from tests.layers.training import train

if keras.backend.backend() != "tensorflow":
    pytest.skip("The kernels are TensorFlow's.", allow_module_level=True)
tf = pytest.importorskip("tensorflow")
fused_tensorflow = importlib.import_module(
    "keras_contrastive.layers.fused_tensorflow"
)

TOLERANCE = {"float32": 1e-5, "float16": 2e-3, "bfloat16": 2e-2}


def relative_difference(found, expected):
    found = np.asarray(tf.cast(found, "float32"))
    expected = np.asarray(expected, "float32")
    return np.max(np.abs(found - expected)) / np.max(np.abs(expected))


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("shape", [(6, 5), (4, 3, 5), (3, 4, 2, 5)])
def test_batch_normalization_is_its_formula(shape, dtype):
    values = tf.cast(random_inputs(shape), dtype)
    gamma = np.linspace(0.5, 2.0, 5).astype("float32")
    beta = np.linspace(-1.0, 1.0, 5).astype("float32")
    outputs, mean, variance = fused_tensorflow.batch_normalization(
        values, tf.constant(gamma), tf.constant(beta), 1e-3
    )
    exact = np.asarray(tf.cast(values, "float64"))
    axes = tuple(range(len(shape) - 1))
    expected_mean, expected_variance = exact.mean(axes), exact.var(axes)
    scale = gamma / np.sqrt(expected_variance + 1e-3)
    expected = (exact - expected_mean) * scale + beta
    assert outputs.dtype == dtype and mean.dtype == "float32"
    assert relative_difference(outputs, expected) < TOLERANCE[dtype]
    np.testing.assert_allclose(mean, expected_mean, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(variance, expected_variance, rtol=1e-4)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("shape", [(8, 5), (3, 4, 2, 5)])
def test_gradients_of_batch_normalization_are_those_of_the_formula(
    shape, dtype
):
    upstream = tf.cast(random_inputs(shape, seed=1), dtype)
    values = tf.cast(random_inputs(shape), dtype)
    affine = [tf.linspace(0.5, 2.0, 5), tf.linspace(-1.0, 1.0, 5)]

    def formula(values, gamma, beta, epsilon):
        values = tf.cast(values, "float64")
        mean, variance = tf.nn.moments(values, list(range(len(shape) - 1)))
        gamma, beta = tf.cast(gamma, "float64"), tf.cast(beta, "float64")
        return (
            tf.nn.batch_normalization(
                values, mean, variance, beta, gamma, epsilon
            ),
        )

    found, expected = (
        gradients(function, upstream, values, *affine, 1e-3)
        for function in (fused_tensorflow.batch_normalization, formula)
    )
    for one, other in zip(found, expected):
        assert relative_difference(one, other) < 2 * TOLERANCE[dtype]


def gradients(function, upstream, *arguments):
    *sources, epsilon = arguments
    with tf.GradientTape() as tape:
        tape.watch(sources)
        outputs = function(*sources, epsilon)[0]
        loss = tf.reduce_sum(outputs * tf.cast(upstream, outputs.dtype))
    return tape.gradient(loss, sources)


@pytest.mark.parametrize("own", [False, True])
def test_parts_are_normalized_each_by_itself(own):
    parts = tf.constant(random_inputs((3, 4, 2, 2, 5)))
    shape = (3, 5) if own else (5,)
    gamma = tf.constant(random_inputs(shape, seed=1))
    beta = tf.constant(random_inputs(shape, seed=2))
    found = fused_tensorflow.batch_normalization_of_parts(
        parts, gamma, beta, 1e-3
    )
    for index in range(3):
        affine = (each[index] if own else each for each in (gamma, beta))
        expected = fused_tensorflow.batch_normalization(
            parts[index], *affine, 1e-3
        )
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one[index], other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("aggregation", ["mean", "pooled"])
@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("shape", [(12, 5), (12, 4, 4, 64)])
@pytest.mark.parametrize("affine", [True, False])
def test_splits_by_kernels_of_their_own_are_those_of_rows(
    monkeypatch, shape, own, aggregation, affine
):
    module = importlib.import_module(
        "keras_contrastive.layers.split_batch_normalization"
    )

    def layer():
        return module.SplitBatchNormalization(
            3, "contiguous", own, own, aggregation, center=affine, scale=affine
        )

    parts = fused_tensorflow.batch_normalization_of_parts
    calls = []
    monkeypatch.setattr(
        fused_tensorflow,
        "batch_normalization_of_parts",
        lambda *arguments: calls.append(1) or parts(*arguments),
    )
    monkeypatch.setattr(fused_tensorflow, "has_processor_only", lambda: True)
    found = train(layer(), shape)
    assert calls
    calls.clear()
    monkeypatch.setattr(module, "_MOST_PARTS", 0)
    expected = train(layer(), shape)
    assert not calls
    for one, other in zip(found, expected, strict=True):
        scale = np.max(np.abs(other))
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4 * scale)


def test_batch_of_one_value_has_no_variance():
    outputs, mean, variance = fused_tensorflow.batch_normalization(
        tf.constant([[3.0]]), tf.ones(1), tf.ones(1), 1e-5
    )
    assert float(outputs[0, 0]) == 1.0
    assert float(mean[0]) == 3.0
    assert float(variance[0]) == 0.0


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("shape", [(6, 5), (4, 3, 5), (3, 4, 2, 5)])
def test_scale_channels_is_an_affine_map(shape, dtype):
    values = tf.cast(random_inputs(shape), dtype)
    scale, offset = tf.linspace(0.5, 2.0, 5), tf.linspace(-1.0, 1.0, 5)
    with tf.GradientTape() as tape:
        tape.watch(values)
        outputs = fused_tensorflow.scale_channels(values, scale, offset)
    gradient = tape.gradient(outputs, values)
    expected = np.asarray(tf.cast(values, "float64")) * scale + offset
    assert outputs.dtype == dtype
    assert relative_difference(outputs, expected) < TOLERANCE[dtype]
    expected = np.broadcast_to(scale, shape)
    assert relative_difference(gradient, expected) < TOLERANCE[dtype]


# 16 positions are added in slices of eight, 49 of seven, 37 in one.
@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ((6, 4, 4, 64), "float32"),
        ((6, 4, 4, 64), "bfloat16"),
        ((5, 7, 7, 24), "float32"),
        ((5, 37, 32), "float32"),
    ],
)
def test_normalize_rows_is_the_neutral_code(shape, dtype):
    values = tf.cast(random_inputs(shape), dtype)
    upstream = tf.cast(random_inputs(shape, seed=1), dtype)
    ids = tf.constant([0, 2, 2, 0, 2, 2][: shape[0]])
    gamma = tf.cast(random_inputs((3, shape[-1]), seed=2), "float32")
    found = outputs_and_gradients(
        fused_tensorflow.normalize_rows, values, gamma, ids, upstream
    )
    expected = outputs_and_gradients(
        row_normalization.normalize_rows_neutrally,
        tf.cast(values, "float64"),
        tf.cast(gamma, "float64"),
        ids,
        tf.cast(upstream, "float64"),
    )
    assert found[0].dtype == dtype
    for one, other in zip(found, expected):
        assert relative_difference(one, other) < 3 * TOLERANCE[dtype]


def outputs_and_gradients(normalize, values, gamma, ids, upstream):
    """All that a normalization by id, with its own gammas, computes."""
    splits = split_assignment("ids", 3, values.shape[0], ids)

    def transform(row_mean, row_variance, gamma):
        rows = ops.maximum(ops.cast(splits.counts, row_mean.dtype), 1)
        mean = splits.sums(row_mean) / rows
        between = ops.square(row_mean - splits.spread(mean))
        variance = splits.sums(row_variance + between) / rows
        scale = splits.spread(gamma * ops.rsqrt(variance + 1e-3))
        offset = (row_mean - splits.spread(mean)) * scale
        return scale, offset, [mean, variance]

    with tf.GradientTape() as tape:
        tape.watch([values, gamma])
        outputs, statistics = normalize(values, transform, [gamma])
        loss = tf.reduce_sum(outputs * upstream)
    return outputs, *statistics, *tape.gradient(loss, [values, gamma])


def test_normalize_rows_in_a_graph_of_unknown_batch_size():
    values = tf.cast(random_inputs((6, 4, 4, 64)), "float32")

    def transform(row_mean, row_variance):
        return row_variance, row_mean + tf.reduce_mean(row_mean, 0), []

    def run(values):
        with tf.GradientTape() as tape:
            tape.watch(values)
            outputs, _ = row_normalization.normalize_rows(values, transform, [])
            loss = tf.reduce_sum(tf.square(outputs))
        return outputs, tape.gradient(loss, values)

    unknown = tf.TensorSpec((None, 4, 4, 64))
    graph = tf.function(run, input_signature=[unknown])
    compiled = tf.function(run, jit_compile=True)
    expected = run(values)
    for found in (graph(values), compiled(values)):
        for one, other in zip(found, expected):
            assert relative_difference(one, other) < 1e-5


def test_refuse_unless_stops_a_graph_with_the_sentence():
    @tf.function
    def refuse(number):
        sentence = ("Not", number, "please.")
        return fused_tensorflow.refuse_unless(number > 0, sentence, number)

    assert int(refuse(tf.constant(1))) == 1
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"Not.*-3.*please\."
    ):
        refuse(tf.constant(-3))
