"""Two stacks of images as one, of which nothing is copied."""

import numpy as np


class JoinedImages:
    """The images of one stack, followed by those of another.

    A folder's images lie on disk; joined by NumPy they would all be read
    into memory.

    Args:
        first: uint8 or float array `(N, H, W, C)`, in memory or mapped.
        second: array `(M, H, W, C)` of the same dtype.
    """

    def __init__(self, first, second):
        self._first = first
        self._second = second
        self.shape = (len(first) + len(second), *first.shape[1:])
        self.dtype = first.dtype

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        """The images of some rows, in memory.

        Args:
            rows: int array `(count,)`, none negative.

        Returns:
            Array `(count, H, W, C)`.
        """
        rows = np.asarray(rows)
        images = np.empty((len(rows), *self.shape[1:]), self.dtype)
        is_first = rows < len(self._first)
        images[is_first] = self._first[rows[is_first]]
        images[~is_first] = self._second[rows[~is_first] - len(self._first)]
        return images
