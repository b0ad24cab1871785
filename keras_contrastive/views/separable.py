"""A linear filter of its own for each image, as two matrix products.

    out[n, y, x, c] = sum over i, j of rows[n, y, i] in[n, i, j, c]
                                       columns[n, j, x]

Resizing, cropping, flipping and blurring are of this form. Dense matrices are
larger than the few taps they hold, and still the fastest way that needs no
gather: they are batched matrix products on every device.
"""

from keras import ops


def filter_images(images, rows, columns):
    """Applies to each image a matrix along its height and one along its width.

    Args:
        images: float32 `(batch, height, width, channels)`.
        rows: float32 `(batch, new_height, height)`, the taps of each new row.
        columns: float32 `(batch, width, new_width)`, the taps of each new
            column.

    Returns:
        float32 `(batch, new_height, new_width, channels)`.
    """
    _, height, width, channels = images.shape
    new_height, new_width = rows.shape[1], columns.shape[2]
    # Rows, channels, columns: in this order both products are plain ones,
    # without a transposition between them.
    x = ops.transpose(images, (0, 1, 3, 2))
    x = ops.matmul(ops.reshape(x, (-1, height * channels, width)), columns)
    x = ops.reshape(x, (-1, height, channels * new_width))
    x = ops.matmul(rows, x)
    x = ops.reshape(x, (-1, new_height, channels, new_width))
    return ops.transpose(x, (0, 1, 3, 2))
