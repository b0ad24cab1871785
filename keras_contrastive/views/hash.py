"""Counter-based random numbers: a hash of where a number is used.

A number has no state behind it. It is a function of (seed, step, position in
the global batch, view, stream, draw), where a stream is one transformation
and a draw is one of its numbers. So the views of an image do not depend on
the batch size, on the replica that makes them, or on what was drawn before.

The hash is made of multiplications, exclusive ors and shifts in int32, which
wrap around alike on every backend, compiled or not. With `mix` a bijection of
32 bits,

    key_k = mix(... mix(mix(start_k ^ word_1) ^ word_2) ... ^ word_5), k = 1, 2
    bits(position, draw) = mix(mix(position ^ key_1) + mix(draw ^ key_2))

where the words are the seed's two halves, view, stream and step. Two keys
make 64 bits, so that two steps do not meet in one by chance.

Reference: Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3,
https://doi.org/10.1145/2063384.2063405 (counter-based generators).
"""

import keras
from keras import ops

_WORD = 2**32
# Hexadecimal digits of pi: constants with nothing hidden in them.
_STARTS = (0x243F6A88, 0x85A308D3)
# Those of lowbias32, found by a search for little bias (C. Wellons, "Hash
# function prospector", 2018); the tests measure it.
_MULTIPLIERS = (0x7FEB352D, 0x846CA68B)
_SHIFTS = (16, 15, 16)


def bits(count, *, seed, step, positions, view, stream, first=0):
    """Hashes each row's place into random 32-bit integers.

    Args:
        count: int, how many numbers each row gets.
        seed: int, of which the lowest 64 bits count.
        step: int, or int32 scalar tensor.
        positions: int32 `(batch,)`, where the rows stand in the global batch.
        view: int, which of an image's views this is.
        stream: int, what the numbers are for: a transformation's own.
        first: int, the number of the first draw.

    Returns:
        int32 `(batch, count)`, uniform over all 2**32 values; column k is the
        draw first + k.

    Example:

    ```python
    import numpy as np
    from keras_contrastive.views import hash

    positions = np.arange(4, dtype="int32")
    hash.bits(2, seed=0, step=0, positions=positions, view=0, stream=1)
    ```
    """
    words = (seed, seed >> 32, view, stream, step)
    key = ops.convert_to_tensor([_signed(s) for s in _STARTS], dtype="int32")
    for word in words:
        key = _mix(ops.bitwise_xor(key, _tensor(word)))
    rows = _mix(ops.bitwise_xor(ops.cast(positions, "int32"), key[0]))
    draws = ops.arange(first, first + count, dtype="int32")
    columns = _mix(ops.bitwise_xor(draws, key[1]))
    return _mix(rows[:, None] + columns[None, :])


def uniform(count, **place):
    """Draws float32 numbers that are uniform over [0, 1).

    They are the multiples of 2**-24: the upper bits of `bits`.

    Args:
        count: int, how many numbers each row gets.
        **place: seed, step, positions, view, stream and first, as for `bits`.

    Returns:
        float32 `(batch, count)` in [0, 1).

    Example:

    ```python
    import numpy as np
    from keras_contrastive.views import hash

    positions = np.arange(4, dtype="int32")
    hash.uniform(2, seed=0, step=0, positions=positions, view=0, stream=1)
    ```
    """
    integers = _shift(bits(count, **place), 8)
    return ops.cast(integers, "float32") * 2.0**-24


def _tensor(word):
    """A word as an int32 scalar; a variable is read."""
    if isinstance(word, int):
        return ops.convert_to_tensor(_signed(word), dtype="int32")
    if isinstance(word, keras.Variable):
        word = word.value
    return ops.cast(word, "int32")


def _signed(word):
    """The lowest 32 bits of a Python integer, as int32 holds them."""
    return (word + _WORD // 2) % _WORD - _WORD // 2


def _mix(x):
    """Scrambles int32 values one to one."""
    x = ops.bitwise_xor(x, _shift(x, _SHIFTS[0])) * _signed(_MULTIPLIERS[0])
    x = ops.bitwise_xor(x, _shift(x, _SHIFTS[1])) * _signed(_MULTIPLIERS[1])
    return ops.bitwise_xor(x, _shift(x, _SHIFTS[2]))


def _shift(x, amount):
    """Shifts right and fills with zeros; alone, int32 fills with its sign."""
    mask = (1 << (32 - amount)) - 1
    return ops.bitwise_and(ops.right_shift(x, amount), mask)
