"""How far two results are apart."""

import numpy as np


def difference(one, other):
    """The largest difference, relative to the largest value."""
    one, other = np.asarray(one, "float64"), np.asarray(other, "float64")
    scale = max(np.abs(one).max(initial=0.0), 1e-2)
    return np.abs(one - other).max(initial=0.0) / scale
