"""Two stacks of images as one, of which nothing is copied."""

import numpy as np


class JoinedImages:
    """The images of one stack, followed by those of another.

    A folder's images lie on disk; joined by NumPy they would all be read
    into memory.

    Args:
        stacks: pair of uint8 or float arrays of one dtype, `(N, H, W, C)` and
            `(M, H, W, C)`, in memory or mapped.
    """

    def __init__(self, stacks):
        self._first, self._second = first, second = stacks
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
