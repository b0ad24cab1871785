"""Streams of random numbers that are no view's, each a number of its own.

Streams of views are small numbers.
"""

SHUFFLED_ROWS = 1 << 20
PAIR_PARTNERS = SHUFFLED_ROWS + 1
ADVERSARY = SHUFFLED_ROWS + 2
