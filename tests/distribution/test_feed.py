"""Who gets which share of a batch."""

import keras
import numpy as np
import pytest

from keras_contrastive.data import batches
from keras_contrastive.distribution import feed

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="tf.distribute"
)


@pytest.mark.parametrize(
    ("batch_size", "replicas", "sentence"),
    [
        (10, 4, "choose 8 or 12"),
        (3, 4, "received 3, choose 4"),
        (7, 2, "their number, 2; received 7, choose 6 or 8"),
    ],
)
def test_batches_that_cannot_be_shared_are_refused(
    batch_size, replicas, sentence
):
    with pytest.raises(ValueError, match=sentence):
        feed.check_batch_size(batch_size, replicas)


def shares(workers, local, by_device_first):
    import tensorflow as tf

    return [
        feed._shares_of(
            tf.distribute.InputContext(
                num_input_pipelines=workers,
                input_pipeline_id=worker,
                num_replicas_in_sync=workers * local,
            ),
            by_device_first,
        )
        for worker in range(workers)
    ]


def test_training_deals_out_by_the_numbers_of_replicas():
    assert shares(1, 4, False) == [[0, 1, 2, 3]]
    assert shares(3, 1, False) == [[0], [1], [2]]
    assert shares(2, 3, False) == [[0, 1, 2], [3, 4, 5]]


def test_predicting_deals_out_as_keras_puts_together():
    assert shares(1, 4, True) == [[0, 1, 2, 3]]
    assert shares(3, 1, True) == [[0], [1], [2]]
    # Of each worker the first device, and then of each the second.
    assert shares(2, 2, True) == [[0, 2], [1, 3]]


def test_a_feed_goes_on_from_its_epoch_without_end():
    import tensorflow as tf

    numbers = np.arange(11)
    images = np.zeros((11, 2, 2, 3), "uint8")
    source = batches(images, 4, labels=numbers, seed=5)
    source.epoch = 2
    fed, steps = feed.feed(source, tf.distribute.get_strategy())
    assert steps == 2
    iterator = iter(fed)
    found = [next(iterator)["labels"].numpy().tolist() for _ in range(4)]
    expected = []
    for epoch in (2, 3):
        source.epoch = epoch
        expected += [source[step]["labels"].tolist() for step in (0, 1)]
    assert found == expected


def test_what_fills_no_batch_is_refused():
    import tensorflow as tf

    images = np.zeros((3, 2, 2, 3), "uint8")
    source = batches(images, 4, drop_remainder=False)
    with pytest.raises(ValueError, match="3 images do not fill a batch of 4"):
        feed.feed(source, tf.distribute.get_strategy())
