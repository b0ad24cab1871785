"""What the Keras classes around the pure losses share."""

import keras
from keras import ops


class RowLoss(keras.losses.Loss):
    """A Keras loss made of rows, some of which may have no say.

    A subclass states `rows`, and its value for a batch is
    `sum(rows * weights) / sum(weights)`: an anchor without positives, say,
    neither adds to the sum nor counts. Without any weight it is zero.

    Args:
        reduction: how rows become a value, as in any Keras loss.
        name: name of the loss.
        dtype: dtype of the computation, float32 by default.
    """

    def rows(self, y_true, y_pred):
        """Returns the loss of each row and its weight, None for all alike."""
        raise NotImplementedError

    def call(self, y_true, y_pred):
        rows, weights = self.rows(y_true, y_pred)
        if weights is None:
            return rows
        # Keras divides by the number of rows, whatever they weigh.
        count = ops.cast(ops.shape(rows)[0], rows.dtype)
        return rows * weights * (count / ops.maximum(ops.sum(weights), 1e-12))
