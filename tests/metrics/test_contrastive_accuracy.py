import numpy as np
from keras import ops

from keras_contrastive import metrics


def test_counts_the_views_whose_partner_is_nearest():
    generator = np.random.default_rng(0)
    view_1 = generator.normal(size=(12, 5)).astype("float32")
    view_2 = view_1 + generator.normal(size=(12, 5)).astype("float32")
    views = np.concatenate([view_1, view_2])
    views /= np.linalg.norm(views, axis=1, keepdims=True)
    expected = []
    for i in range(24):
        similarities = views @ views[i]
        similarities[i] = -2
        expected.append(np.argmax(similarities) == (i + 12) % 24)
    found = ops.convert_to_numpy(metrics.contrastive_accuracy(view_1, view_2))
    assert 0 < sum(expected) < 24
    np.testing.assert_array_equal(found, expected)
