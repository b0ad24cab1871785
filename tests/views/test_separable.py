import numpy as np
from keras import ops

from keras_contrastive.views.separable import filter_images


def test_each_image_has_its_own_matrices():
    generator = np.random.default_rng(0)
    images = generator.normal(size=(2, 3, 4, 5)).astype("float32")
    rows = generator.normal(size=(2, 6, 3)).astype("float32")
    columns = generator.normal(size=(2, 4, 7)).astype("float32")
    filtered = filter_images(
        *(ops.convert_to_tensor(x) for x in (images, rows, columns))
    )
    expected = np.zeros((2, 6, 7, 5))
    for n, y, x, c in np.ndindex(expected.shape):
        for i, j in np.ndindex(3, 4):
            taps = rows[n, y, i] * columns[n, j, x]
            expected[n, y, x, c] += taps * images[n, i, j, c]
    np.testing.assert_allclose(filtered, expected, atol=1e-5)
