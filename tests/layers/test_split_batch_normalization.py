"""Each published form of split batch normalization, against its own words."""

import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive.layers import BatchNormalization
from keras_contrastive.layers import SplitBatchNormalization
from tests import gradients

EPSILON = 1e-5
SHAPES = [(8, 3), (8, 2, 5, 3)]


def random_inputs(shape, seed=0):
    """Values that differ in mean and spread by channel and by row."""
    generator = np.random.default_rng(seed)
    spread = np.linspace(0.5, 3.0, shape[-1])
    rows = generator.normal(size=(shape[0], *[1] * (len(shape) - 1)))
    values = (generator.normal(size=shape) + rows) * spread + spread[::-1]
    return values.astype("float32")


def trained(layer, inputs, split_ids=None, upstream=None):
    """Outputs of a training step and the gradients of inputs and weights."""
    if upstream is None:
        upstream = random_inputs(inputs.shape, seed=99)
    if not layer.built:
        layer.build(inputs.shape)
    arguments = () if split_ids is None else (split_ids,)
    outputs, found = gradients.of_a_layer(
        layer, inputs, *arguments, upstream=upstream
    )
    return ops.convert_to_numpy(outputs), found


def set_affine(layer, seed=5):
    for index, weight in enumerate((layer.gamma, layer.beta)):
        weight.assign(random_inputs(weight.shape, seed=seed + index))


def set_all_weights(layer, shape):
    layer.build(shape)
    set_affine(layer)
    layer.moving_mean.assign(random_inputs(layer.moving_mean.shape, seed=7))
    variance = random_inputs(layer.moving_variance.shape, seed=8)
    layer.moving_variance.assign(np.abs(variance) + 0.1)


def split_moments(inputs, ids, num_splits):
    """NumPy: mean and biased variance of each split that has rows."""
    axes = tuple(range(inputs.ndim - 1))
    inputs = inputs.astype("float64")
    return {
        split: (inputs[ids == split].mean(axes), inputs[ids == split].var(axes))
        for split in range(num_splits)
        if np.any(ids == split)
    }


def normalized(inputs, ids, moments, gamma, beta):
    """NumPy: each row by its split's moments and affine."""
    outputs = np.zeros(inputs.shape)
    for split, (mean, variance) in moments.items():
        rows = ids == split
        centred = inputs[rows].astype("float64") - mean
        outputs[rows] = centred / np.sqrt(variance + EPSILON)
        outputs[rows] = outputs[rows] * gamma[split] + beta[split]
    return outputs


# One split is batch normalization.


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("assignment", ["contiguous", "interleaved", "ids"])
@pytest.mark.parametrize("synchronized", [False, True])
def test_one_split_is_batch_normalization(shape, assignment, synchronized):
    keras_own = keras.layers.BatchNormalization(momentum=0.9, epsilon=EPSILON)
    # One replica has nobody to synchronize with.
    layer = SplitBatchNormalization(
        1,
        assignment,
        split_affine=True,
        split_statistics=True,
        synchronized=synchronized,
    )
    for each in (keras_own, layer):
        each.build(shape)
        set_affine(each)
    assert [(each.name, each.shape) for each in layer.weights] == [
        (each.name, each.shape) for each in keras_own.weights
    ]
    ids = np.zeros(8, "int32") if assignment == "ids" else None
    for seed in range(3):
        inputs = random_inputs(shape, seed)
        outputs, gradients = trained(layer, inputs, ids)
        expected, expected_gradients = trained(keras_own, inputs)
        np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)
        for one, other in zip(gradients, expected_gradients):
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)
    for one, other in zip(layer.weights, keras_own.weights):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        layer(inputs), keras_own(inputs), rtol=1e-4, atol=1e-5
    )


# The four families.


@pytest.mark.parametrize("shape", SHAPES)
def test_moco_demo(shape):
    """Channels of every split side by side, in the layout of the demo."""
    num_splits, channels = 4, shape[-1]
    layer = SplitBatchNormalization(num_splits, "interleaved")
    set_all_weights(layer, shape)
    moving = [layer.moving_mean.numpy(), layer.moving_variance.numpy()]
    inputs = random_inputs(shape)

    first = np.moveaxis(inputs.astype("float64"), -1, 1)
    side_by_side = first.reshape(-1, num_splits * channels, *first.shape[2:])
    axes = (0, *range(2, side_by_side.ndim))
    wide = (1, -1, *[1] * (side_by_side.ndim - 2))
    means, variances = side_by_side.mean(axes), side_by_side.var(axes)
    gamma, beta = (
        np.tile(each, num_splits) for each in (layer.gamma, layer.beta)
    )
    expected = (side_by_side - means.reshape(wide)) / np.sqrt(
        variances.reshape(wide) + EPSILON
    ) * gamma.reshape(wide) + beta.reshape(wide)
    expected = np.moveaxis(expected.reshape(first.shape), 1, -1)

    outputs = layer(inputs, training=True)
    np.testing.assert_allclose(outputs, expected, rtol=1e-3, atol=1e-4)
    for weight, old, batch in zip(
        (layer.moving_mean, layer.moving_variance), moving, (means, variances)
    ):
        averaged = 0.9 * old + 0.1 * batch.reshape(num_splits, -1).mean(0)
        np.testing.assert_allclose(weight, averaged, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("assignment", "rows_of"),
    [
        ("contiguous", (slice(4), slice(4, 8))),
        ("interleaved", (slice(0, 8, 2), slice(1, 8, 2))),
    ],
)
def test_advprop_is_independent_layers(shape, assignment, rows_of):
    layer = SplitBatchNormalization(
        2, assignment, split_affine=True, split_statistics=True
    )
    set_all_weights(layer, shape)
    parts = []
    for split in range(2):
        part = keras.layers.BatchNormalization(momentum=0.9, epsilon=EPSILON)
        part.build(shape)
        part.set_weights([each.numpy()[split] for each in layer.weights])
        parts.append(part)
    inputs = random_inputs(shape)
    upstream = random_inputs(shape, seed=99)
    outputs, gradients = trained(layer, inputs)
    for split, (part, rows) in enumerate(zip(parts, rows_of)):
        expected, expected_gradients = trained(
            part, inputs[rows], upstream=upstream[rows]
        )
        np.testing.assert_allclose(
            outputs[rows], expected, rtol=1e-3, atol=1e-4
        )
        found = [gradients[0][rows], *[each[split] for each in gradients[1:]]]
        for one, other in zip(found, expected_gradients):
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)
        for one, other in zip(layer.weights, part.weights):
            np.testing.assert_allclose(
                one.numpy()[split], other, rtol=1e-4, atol=1e-5
            )
    clean = layer(inputs, np.zeros(8, "int32"))
    np.testing.assert_allclose(clean, parts[0](inputs), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("split_affine", [True, False], ids=["dsbn", "zajac"])
def test_domain_specific_forms(shape, split_affine):
    """Unequal splits, of which one is a single row and one is empty."""
    ids = np.array([3, 0, 3, 3, 0, 1, 3, 0], "int32")
    layer = SplitBatchNormalization(
        4, "ids", split_affine=split_affine, split_statistics=True
    )
    set_all_weights(layer, shape)
    before = layer.moving_mean.numpy(), layer.moving_variance.numpy()
    gamma, beta = (
        np.broadcast_to(each, (4, shape[-1]))
        for each in (layer.gamma, layer.beta)
    )
    inputs = random_inputs(shape)
    moments = split_moments(inputs, ids, 4)
    np.testing.assert_allclose(
        layer(inputs, ids, training=True),
        normalized(inputs, ids, moments, gamma, beta),
        rtol=1e-3,
        atol=1e-3,
    )
    for split in range(4):
        for index, weight in enumerate(
            (layer.moving_mean, layer.moving_variance)
        ):
            old = before[index][split]
            if split not in moments:
                np.testing.assert_array_equal(weight.numpy()[split], old)
                continue
            new = 0.9 * old + 0.1 * moments[split][index]
            np.testing.assert_allclose(
                weight.numpy()[split], new, rtol=1e-4, atol=1e-5
            )
    moving = zip(layer.moving_mean.numpy(), layer.moving_variance.numpy())
    moving = dict(enumerate(moving))
    np.testing.assert_allclose(
        layer(inputs, ids),
        normalized(inputs, ids, moving, gamma, beta),
        rtol=1e-3,
        atol=1e-3,
    )


@pytest.mark.parametrize("shape", [(8, 3), (8, 4, 4, 64)])
def test_gradients_by_id_are_those_of_independent_layers(shape):
    ids = np.array([2, 0, 2, 2, 0, 0, 2, 0], "int32")
    layer = SplitBatchNormalization(3, "ids")
    layer.build(shape)
    set_affine(layer)
    inputs, upstream = random_inputs(shape), random_inputs(shape, seed=99)
    outputs, gradients = trained(layer, inputs, ids)
    of_affine = 0.0
    for split in (0, 2):
        rows = ids == split
        part = BatchNormalization()
        part.build(shape)
        part.gamma.assign(layer.gamma)
        part.beta.assign(layer.beta)
        expected, expected_gradients = trained(
            part, inputs[rows], upstream=upstream[rows]
        )
        np.testing.assert_allclose(
            outputs[rows], expected, rtol=1e-3, atol=1e-4
        )
        np.testing.assert_allclose(
            gradients[0][rows], expected_gradients[0], rtol=1e-3, atol=1e-3
        )
        of_affine = of_affine + np.stack(expected_gradients[1:])
    np.testing.assert_allclose(
        np.stack(gradients[1:]), of_affine, rtol=1e-3, atol=1e-2
    )


# Statistics.


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("assignment", ["contiguous", "interleaved", "ids"])
def test_pooled_statistics_are_those_of_the_whole_batch(shape, assignment):
    ids = np.array([0, 1, 1, 1, 3, 1, 3, 0]) if assignment == "ids" else None
    layer = SplitBatchNormalization(4, assignment, aggregation="pooled")
    whole = keras.layers.BatchNormalization(momentum=0.9, epsilon=EPSILON)
    for seed in range(2):
        inputs = random_inputs(shape, seed)
        trained(layer, inputs, ids)
        trained(whole, inputs)
    for one, other in zip(layer.weights, whole.weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_mean_statistics_weigh_splits_by_their_rows():
    ids = np.array([0, 1, 1, 1, 3, 1, 3, 0])
    inputs = random_inputs((8, 3))
    layer = SplitBatchNormalization(4, "ids")
    layer(inputs, ids, training=True)
    moments = split_moments(inputs, ids, 4)
    weights = {0: 2 / 8, 1: 4 / 8, 3: 2 / 8}
    mean = sum(weights[split] * moments[split][0] for split in weights)
    variance = sum(weights[split] * moments[split][1] for split in weights)
    np.testing.assert_allclose(layer.moving_mean, 0.1 * mean, rtol=1e-4)
    np.testing.assert_allclose(
        layer.moving_variance, 0.9 + 0.1 * variance, rtol=1e-4
    )


# Inference.


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("split_affine", [True, False])
def test_inference_without_ids_is_the_mean_of_the_branches(shape, split_affine):
    layer = SplitBatchNormalization(
        3, "ids", split_affine=split_affine, split_statistics=True
    )
    set_all_weights(layer, shape)
    inputs = random_inputs(shape)
    branches = [layer(inputs, np.full(8, split)) for split in range(3)]
    assert not np.allclose(branches[0], branches[1], atol=0.1)
    np.testing.assert_allclose(
        layer(inputs), np.mean(branches, axis=0), rtol=1e-4, atol=1e-4
    )


def test_inference_of_split_affines_alone_is_their_mean():
    layer = SplitBatchNormalization(3, "contiguous", split_affine=True)
    set_all_weights(layer, (9, 4))
    inputs = random_inputs((9, 4))
    branches = [layer(inputs, np.full(9, split)) for split in range(3)]
    np.testing.assert_allclose(
        layer(inputs), np.mean(branches, axis=0), rtol=1e-4, atol=1e-4
    )


def test_pooled_inference_is_by_the_mixture():
    layer = SplitBatchNormalization(3, "ids", True, True, aggregation="pooled")
    set_all_weights(layer, (8, 3))
    mean, variance = (
        layer.moving_mean.numpy(),
        layer.moving_variance.numpy(),
    )
    # The mixture's moments are those of values placed at mean +- deviation.
    values = np.concatenate([mean - variance**0.5, mean + variance**0.5])
    gamma, beta = np.mean(layer.gamma, axis=0), np.mean(layer.beta, axis=0)
    inputs = random_inputs((8, 3))
    expected = (inputs - values.mean(0)) / np.sqrt(values.var(0) + EPSILON)
    np.testing.assert_allclose(
        layer(inputs), expected * gamma + beta, rtol=1e-4, atol=1e-4
    )


def test_shared_weights_infer_as_batch_normalization():
    layer = SplitBatchNormalization(3, "interleaved")
    set_all_weights(layer, (8, 3))
    plain = BatchNormalization()
    plain.build((8, 3))
    plain.set_weights(layer.get_weights())
    inputs = random_inputs((8, 3))
    np.testing.assert_allclose(layer(inputs), plain(inputs), rtol=1e-5)
    np.testing.assert_allclose(
        layer(inputs, np.arange(8) % 3), plain(inputs), rtol=1e-5
    )


def test_a_frozen_layer_infers():
    layer = SplitBatchNormalization(2, "contiguous", trainable=False)
    set_all_weights(layer, (8, 3))
    before = layer.get_weights()
    inputs = random_inputs((8, 3))
    np.testing.assert_array_equal(layer(inputs, training=True), layer(inputs))
    for one, other in zip(layer.get_weights(), before):
        np.testing.assert_array_equal(one, other)


# Who influences whom.


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("contiguous", [0, 0, 0, 1, 1, 1]),
        ("interleaved", [0, 1, 0, 1, 0, 1]),
        ("ids", [1, 0, 0, 1, 1, 1]),
    ],
)
def test_a_row_influences_only_its_own_split(assignment, expected):
    ids = np.array(expected)
    layer = SplitBatchNormalization(2, assignment)
    inputs = random_inputs((6, 2, 2, 3))
    outputs, _ = trained(layer, inputs, ids if assignment == "ids" else None)
    # Of the sum of a row's cubes.
    jacobian = [
        trained(
            layer,
            inputs,
            ids if assignment == "ids" else None,
            3 * outputs**2 * (np.arange(6) == row)[:, None, None, None],
        )[1][0]
        for row in range(6)
    ]
    influence = np.abs(jacobian).sum(axis=(2, 3, 4))
    same = ids[:, None] == ids[None, :]
    assert np.all(influence[~same] == 0.0)
    assert np.all(influence[same] > 1e-4)


def test_permuting_rows_within_a_split_permutes_outputs():
    inputs = random_inputs((6, 2, 2, 3))
    order = np.array([2, 0, 1, 5, 3, 4])
    layer = SplitBatchNormalization(2, "contiguous")
    np.testing.assert_allclose(
        layer(inputs[order], training=True),
        np.array(layer(inputs, training=True))[order],
        rtol=1e-4,
        atol=1e-5,
    )


def test_gradients_agree_with_finite_differences():
    if keras.backend.backend() == "jax":
        pytest.skip("JAX has float64 only where it is switched on.")
    ids = np.array([0, 2, 2, 0, 2])
    layer = SplitBatchNormalization(
        3, "ids", split_affine=True, dtype="float64"
    )
    shape = (5, 2, 1, 2)
    layer.build(shape)
    set_affine(layer)
    inputs = random_inputs(shape).astype("float64")
    upstream = random_inputs(shape, seed=99).astype("float64")
    _, (gradient, *_) = trained(layer, inputs, ids, upstream)
    step = 1e-5
    for index in np.ndindex(shape):
        shifted = [inputs.copy(), inputs.copy()]
        shifted[0][index] += step
        shifted[1][index] -= step
        losses = [
            float(ops.sum(layer(each, ids, training=True) * upstream))
            for each in shifted
        ]
        slope = (losses[0] - losses[1]) / (2 * step)
        np.testing.assert_allclose(slope, gradient[index], atol=1e-6)


# Precision, graphs, saving, refusals.


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("shape", [(8, 3), (8, 4, 4, 64)])
@pytest.mark.parametrize("assignment", ["contiguous", "ids"])
def test_low_precision_is_float32_inside(dtype, shape, assignment):
    ids = np.arange(8) % 2 if assignment == "ids" else None
    # Squares of these overflow float16.
    inputs = ops.cast(300.0 * random_inputs(shape), dtype)
    low = SplitBatchNormalization(2, assignment, dtype=f"mixed_{dtype}")
    high = SplitBatchNormalization(2, assignment)
    outputs = low(inputs, ids, training=True)
    expected = high(ops.cast(inputs, "float32"), ids, training=True)
    assert keras.backend.standardize_dtype(outputs.dtype) == dtype
    np.testing.assert_allclose(
        ops.cast(outputs, "float32"), expected, rtol=0.01, atol=0.01
    )
    for one, other in zip(low.weights, high.weights):
        assert one.dtype == "float32"
        np.testing.assert_allclose(one, other, rtol=1e-4)


@pytest.mark.parametrize("assignment", ["contiguous", "interleaved", "ids"])
@pytest.mark.parametrize("jit_compile", [False, True])
def test_graphs_give_what_eager_gives(tf, assignment, jit_compile):
    ids = tf.constant([0, 1, 1, 1, 0, 2]) if assignment == "ids" else None
    inputs = random_inputs((6, 2, 2, 3))
    eager = SplitBatchNormalization(3, assignment, split_statistics=True)
    layer = SplitBatchNormalization(3, assignment, split_statistics=True)
    layer.build(inputs.shape)
    unknown = tf.TensorSpec((None, 2, 2, 3))

    @tf.function(input_signature=[unknown], jit_compile=jit_compile)
    def step(inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs, ids, training=True)
            loss = tf.reduce_sum(outputs**3)
        return outputs, tape.gradient(loss, inputs)

    outputs, gradient = step(inputs)
    expected, _ = trained(eager, inputs, ids)
    _, (expected_gradient, *_) = trained(
        eager, inputs, ids, 3 * expected.astype("float32") ** 2
    )
    layer(inputs, ids, training=True)
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        gradient, expected_gradient, rtol=1e-3, atol=1e-3
    )
    for one, other in zip(layer.weights, eager.weights):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_it_is_saved_and_loaded(tmp_path):
    layer = SplitBatchNormalization(
        3,
        "interleaved",
        split_affine=True,
        split_statistics=True,
        aggregation="pooled",
        synchronized=True,
        momentum=0.8,
        epsilon=1e-4,
        gamma_regularizer=keras.regularizers.L2(0.1),
        name="split",
    )
    model = keras.Sequential([keras.Input((4,)), layer])
    model(random_inputs((6, 4)), training=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.layers[-1].get_config() == layer.get_config()
    for key in ("num_splits", "assignment", "aggregation", "synchronized"):
        assert getattr(loaded.layers[-1], key) == getattr(layer, key)
    inputs = random_inputs((5, 4), seed=1)
    np.testing.assert_array_equal(loaded(inputs), model(inputs))


@pytest.mark.parametrize("assignment", ["contiguous", "interleaved"])
def test_a_remainder_is_refused_with_both_numbers(assignment):
    layer = SplitBatchNormalization(4, assignment)
    with pytest.raises(ValueError, match="10 rows.* 4 equal splits"):
        layer(random_inputs((10, 3)), training=True)
    assert layer(random_inputs((10, 3))).shape == (10, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, "ids"), "`num_splits` .* received 0"),
        ((1.5, "ids"), "`num_splits` .* received 1.5"),
        ((2, "random"), "`assignment` .*'ids', received 'random'"),
        (
            (2, "ids", False, False, "median"),
            "`aggregation` .*'pooled', received 'median'",
        ),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        SplitBatchNormalization(*arguments)


def test_bad_uses_are_refused():
    with pytest.raises(ValueError, match="`renorm` must be False"):
        SplitBatchNormalization(2, "ids", renorm=True)
    with pytest.raises(ValueError, match="`axis` must be the last.* 1 for"):
        SplitBatchNormalization(2, "ids", axis=1).build((None, 3, 4, 4))
    layer = SplitBatchNormalization(2, "ids", split_affine=True)
    with pytest.raises(ValueError, match="`split_ids` is None"):
        layer(random_inputs((4, 3)), training=True)
    with pytest.raises(ValueError, match="`split` must be .* received 2"):
        layer.inference_map(split=2)


# Replicas.

TWO_REPLICAS = """
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2
)
from keras_contrastive.layers import BatchNormalization
from keras_contrastive.layers import SplitBatchNormalization as Split

strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
IDS = tf.constant([2, 0, 2, 2, 0, 0, 2, 0])

def make(kind, arguments, keywords, shape):
    layer = kind(*arguments, **keywords)
    layer.build(shape)
    generator = np.random.default_rng(1)
    for weight in layer.weights:
        weight.assign(generator.uniform(0.5, 2.0, size=weight.shape))
    return layer

def train(layer, inputs, upstream, ids):
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        arguments = () if ids is None else (ids,)
        outputs = layer(inputs, *arguments, training=True)
        loss = tf.reduce_sum(outputs * upstream)
    weights = [each.value for each in layer.trainable_weights]
    return outputs, *tape.gradient(loss, [inputs, *weights])

def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)

def compare(one, two, shape=(8, 2, 2, 3), ids=None):
    generator = np.random.default_rng(0)
    inputs, upstream = generator.normal(2.0, 3.0, size=(2, *shape))
    inputs = inputs + np.arange(8).reshape(8, 1, 1, 1)
    inputs = tf.constant(inputs, "float32")
    upstream = tf.constant(upstream, "float32")
    alone = make(*one, shape)
    expected = train(alone, inputs, upstream, ids)
    with strategy.scope():
        layer = make(*two, shape)

    @tf.function
    def step():
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        mine = 4 * replica + tf.range(4)
        parts = [tf.gather(each, mine) for each in (inputs, upstream)]
        mine = None if ids is None else tf.gather(ids, mine)
        return train(layer, *parts, mine)

    for index, (parts, wanted) in enumerate(zip(strategy.run(step), expected)):
        parts = strategy.experimental_local_results(parts)
        close(np.concatenate(parts) if index < 2 else sum(parts), wanted)
    for weight, wanted in zip(layer.weights, alone.weights):
        for each in strategy.experimental_local_results(weight.value):
            close(each, wanted)

compare((Split, (2, "contiguous"), {}), (BatchNormalization, (), {}))
pooled = {"aggregation": "pooled"}
compare((Split, (4, "contiguous"), pooled), (Split, (2, "contiguous"), pooled))
own = (Split, (3, "ids", True, True), {})
compare(own, own, ids=IDS, shape=(8, 4, 4, 64))
by_all = (BatchNormalization, (), {"synchronized": True})
for shape in ((8, 2, 2, 3), (8, 4, 4, 64)):
    compare((BatchNormalization, (), {}), by_all, shape)
# Splits of all replicas' rows are those of one that has all rows.
for assignment in ("contiguous", "interleaved"):
    for count in (1, 2, 4):
        alike = (Split, (count, assignment), {"synchronized": True})
        compare(alike, alike)
"""


def test_two_replicas_are_one(tf):
    root = pathlib.Path(__file__).parents[2]
    subprocess.run(
        [sys.executable, "-c", TWO_REPLICAS],
        check=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )


ON_JAX = """
import sys
sys.modules["tensorflow"] = None  # An import of it fails.

import jax
import numpy as np
from keras_contrastive.layers import SplitBatchNormalization

generator = np.random.default_rng(0)
inputs = generator.normal(2.0, 3.0, size=(6, 4, 4, 64)).astype("float32")
upstream = generator.normal(size=inputs.shape).astype("float32")
ids = np.array([2, 0, 2, 2, 0, 0])
layer = SplitBatchNormalization(3, "ids", split_statistics=True)
layer.build(inputs.shape)

def loss(inputs):
    outputs, moving = layer.stateless_call(
        layer.trainable_variables,
        layer.non_trainable_variables,
        inputs,
        ids,
        training=True,
    )
    return (outputs * upstream).sum(), (outputs, moving)

step = jax.jit(jax.grad(loss, has_aux=True))
gradient, (outputs, moving) = step(inputs)
np.savez(sys.argv[1], gradient=gradient, outputs=outputs, mean=moving[0])
"""


def test_jax_gives_what_tensorflow_gives(tf, tmp_path):
    pytest.importorskip("jax")
    root = pathlib.Path(__file__).parents[2]
    path = tmp_path / "jax.npz"
    subprocess.run(
        [sys.executable, "-c", ON_JAX, path],
        check=True,
        cwd=root,
        env={
            **os.environ,
            "PYTHONPATH": str(root),
            "KERAS_BACKEND": "jax",
            "JAX_PLATFORMS": "cpu",
        },
    )
    found = np.load(path)
    generator = np.random.default_rng(0)
    inputs = generator.normal(2.0, 3.0, size=(6, 4, 4, 64)).astype("float32")
    upstream = generator.normal(size=inputs.shape).astype("float32")
    layer = SplitBatchNormalization(3, "ids", split_statistics=True)
    outputs, (gradient, *_) = trained(
        layer, inputs, np.array([2, 0, 2, 2, 0, 0]), upstream
    )
    for one, other in (
        (found["outputs"], outputs),
        (found["gradient"], gradient),
        (found["mean"], layer.moving_mean),
    ):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)
