"""Seeded orders that never change: the same for every NumPy and machine.

NumPy may change the numbers of its `Generator.permutation` between versions,
but not those of a bit generator. So an order here is the order in which raw
PCG64 words sort, and a split drawn today is drawn again in ten years.
"""

import hashlib

import numpy as np


def random_words(count, purpose, *seeds):
    """Random 64-bit words, a pure function of purpose and seeds.

    Args:
        count: int, how many.
        purpose: str, what they are for: two purposes with the same seeds
            have independent words.
        *seeds: int >= 0.

    Returns:
        uint64 (count,).
    """
    # A hash, because a SeedSequence of several numbers takes [1] and [1, 0],
    # or [2**32] and [0, 1], for the same.
    digest = hashlib.sha256(repr((purpose, *map(int, seeds))).encode()).digest()
    sequence = np.random.SeedSequence(int.from_bytes(digest, "little"))
    return np.random.PCG64(sequence).random_raw(count)


def permutation(count, purpose, *seeds):
    """The numbers 0 to count - 1 in random order.

    Args:
        count: int, how many.
        purpose: str, as in `random_words`.
        *seeds: int >= 0.

    Returns:
        int64 (count,).
    """
    return np.argsort(random_words(count, purpose, *seeds), kind="stable")


def permutation_by_class(labels, purpose, *seeds):
    """Row numbers class after class, in random order within each class.

    Args:
        labels: int (N,).
        purpose: str, as in `random_words`.
        *seeds: int >= 0.

    Returns:
        int64 (N,).
    """
    order = permutation(len(labels), purpose, *seeds)
    return order[np.argsort(labels[order], kind="stable")]
