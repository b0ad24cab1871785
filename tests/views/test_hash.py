import keras
import numpy as np
import pytest
from keras import ops
from scipy import stats

from benchmarks import device
from keras_contrastive.views import hash

PLACE = {"seed": 3, "step": 17, "view": 1, "stream": 2}
POSITIONS = np.arange(256, dtype="int32")
NAMES = ("seed", "step", "view", "stream")


def bits(count=64, positions=POSITIONS, **changes):
    place = {**PLACE, "positions": positions, **changes}
    integers = hash.bits(count, **place)
    return ops.convert_to_numpy(integers).astype("int64") % 2**32


def transcribed(count, seed, step, positions, view, stream, first=0):
    """The module's formula in NumPy's unsigned integers."""

    def mix(x):
        x = (x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D)
        x = (x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B)
        return x ^ (x >> np.uint32(16))

    key = np.array([0x243F6A88, 0x85A308D3], "uint32")
    for word in (seed, seed >> 32, view, stream, step):
        key = mix(key ^ np.uint32(word % 2**32))
    rows = mix(positions.astype("uint32") ^ key[0])
    columns = mix(np.arange(first, first + count, dtype="uint32") ^ key[1])
    return mix(rows[:, None] + columns[None, :])


@pytest.mark.parametrize(
    "place",
    [
        {"seed": 0, "step": 0, "view": 0, "stream": 1},
        {"seed": -5, "step": 2**31 - 1, "view": 7, "stream": 7},
        {"seed": 2**40 + 3, "step": -1, "view": 1, "stream": 100},
        {"seed": 1, "step": 2, "view": 3, "stream": 4, "first": 2**16},
    ],
)
def test_bits_are_those_of_the_formula(place):
    np.testing.assert_array_equal(
        bits(5, **place), transcribed(5, positions=POSITIONS, **place)
    )


def test_golden_integers():
    # Fixed for ever: with other numbers, old runs cannot be repeated.
    integers = hash.bits(3, positions=np.array([0, 1, 1000], "int32"), **PLACE)
    assert ops.convert_to_numpy(integers).tolist() == [
        [905521117, -84837226, -2106376600],
        [874335556, -2088176821, 865013970],
        [-925214633, -1161239816, -1151766235],
    ]


def test_same_bits_eager_and_compiled():
    def call(step, positions):
        return hash.bits(16, **{**PLACE, "step": step, "positions": positions})

    compiled = device.compiled(call)
    np.testing.assert_array_equal(
        compiled(ops.convert_to_tensor(17), ops.convert_to_tensor(POSITIONS)),
        call(17, POSITIONS),
    )


def test_a_step_may_be_an_integer_a_tensor_or_a_variable():
    variable = keras.Variable(17, dtype="int32", trainable=False)
    for step in (np.int64(17), ops.convert_to_tensor(17), variable):
        np.testing.assert_array_equal(bits(step=step), bits(step=17))


def test_a_row_does_not_depend_on_its_batch():
    alone = bits(positions=np.array([77], "int32"))
    np.testing.assert_array_equal(alone[0], bits()[77])
    np.testing.assert_array_equal(bits(8), bits(64)[:, :8])
    np.testing.assert_array_equal(bits(4, first=60), bits(64)[:, 60:])


@pytest.mark.parametrize("shift", [0, 8, 16, 24])
def test_bytes_are_uniform(shift):
    counts = np.bincount((bits(1024).ravel() >> shift) % 256, minlength=256)
    assert stats.chisquare(counts).pvalue > 1e-4


def test_bits_are_balanced():
    integers = bits(1024).ravel()
    for bit in range(32):
        ones = int(((integers >> bit) % 2).sum())
        assert stats.binomtest(ones, integers.size).pvalue > 1e-5, bit


# The formula in NumPy stands in for the hash from here on: it is as good, by
# the tests above, and faster.
def formula(count=64, positions=POSITIONS, **changes):
    place = {**PLACE, "positions": positions, **changes}
    return transcribed(count, **place).astype("int64")


def neighbours(name, distance):
    """Two arrays of bits whose places differ in one word only."""
    if name == "position":
        return formula(), formula(positions=POSITIONS + distance)
    if name == "draw":
        return formula(), formula(first=distance)
    return formula(), formula(**{name: PLACE[name] + distance})


@pytest.mark.parametrize("distance", [1, 2, 256, 2**20])
@pytest.mark.parametrize("name", [*NAMES, "position", "draw"])
def test_neighbours_are_independent(name, distance):
    here, there = (words.ravel() for words in neighbours(name, distance))
    correlation = np.corrcoef(here, there)[0, 1]
    assert abs(correlation) < 4.5 / np.sqrt(here.size)
    table = np.histogram2d(here >> 29, there >> 29, bins=8)[0]
    assert stats.chi2_contingency(table).pvalue > 1e-5
    different = np.bitwise_count((here ^ there).astype("uint32"))
    spread = 8.0**0.5 / np.sqrt(here.size)
    assert abs(different.mean() - 16.0) < 4.5 * spread


@pytest.mark.parametrize("name", [*NAMES, "position", "draw"])
def test_every_bit_of_the_place_changes_half_of_the_bits(name):
    here = formula()
    for bit in range(31):
        flip = 1 << bit
        if name == "position":
            there = formula(positions=POSITIONS ^ flip)
        elif name == "draw":
            # Column 0 is draw 0 here, and draw 2**bit there.
            there = formula(1, first=flip)
        else:
            there = formula(**{name: PLACE[name] ^ flip})
        changed = (here[:, : there.shape[1]] ^ there).astype("uint32")
        spread = 8.0**0.5 / np.sqrt(changed.size)
        assert abs(np.bitwise_count(changed).mean() - 16.0) < 5 * spread, bit


@pytest.mark.parametrize("name", NAMES)
def test_one_image_draws_uniformly_over_each_of_the_others(name):
    """Over seeds, steps, views and streams one after the other."""
    words = np.array(
        [
            formula(1, POSITIONS[77:78], **{name: number})
            for number in range(2**13)
        ]
    ).ravel()
    for shift in (0, 8, 16, 24):
        counts = np.bincount((words >> shift) % 256, minlength=256)
        assert stats.chisquare(counts).pvalue > 1e-5, shift
    correlation = np.corrcoef(words[1:], words[:-1])[0, 1]
    assert abs(correlation) < 4.5 / np.sqrt(words.size)


def test_upper_half_of_the_seed_counts():
    assert (bits(seed=3) != bits(seed=3 + 2**32)).mean() > 0.99


def test_places_do_not_meet():
    # 64 bits from two draws: among half a million places one meeting has a
    # probability of 1e-8.
    words = [
        formula(2, seed=seed, step=step, view=view, stream=stream)
        for seed in range(6)
        for step in range(12)
        for view in range(4)
        for stream in range(1, 8)
    ]
    words = np.concatenate(words)
    words = (words[:, 0] << 31) + words[:, 1]
    assert len(words) > 500_000
    assert len(np.unique(words)) == len(words)


def test_uniform_is_the_upper_bits():
    place = {**PLACE, "positions": POSITIONS}
    numbers = ops.convert_to_numpy(hash.uniform(64, **place))
    assert numbers.dtype == "float32"
    np.testing.assert_array_equal(numbers, (bits() >> 8) / 2.0**24)
    assert numbers.min() >= 0.0 and numbers.max() < 1.0
    assert stats.kstest(numbers.ravel(), "uniform").pvalue > 1e-4
