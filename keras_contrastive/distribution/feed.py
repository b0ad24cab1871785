"""Batches shared out over replicas: each image to exactly one of them.

Replica r of R gets the rows r N / R to (r + 1) N / R - 1 of each batch of N,
in the order that one replica would meet them, and a worker reads no images
but those of its own replicas. Left to itself, TensorFlow has every worker
read everything and throw most of it away.
"""

import warnings

import numpy as np

from keras_contrastive.distribution.input_pipeline import AHEAD
from keras_contrastive.distribution.input_pipeline import untuned


def feed(batches, strategy, fill_up=False, to_predict=False):
    """What a strategy's replicas train on, from batches in a known order.

    Args:
        batches: `data.Batches`.
        strategy: tf.distribute.Strategy.
        fill_up: bool, whether the last batch, where it is not full, is filled
            up by its last image, with `weights` 1 for images and 0 for what
            fills up; else it is left out, with a warning. Every batch then
            has `weights`.
        to_predict: bool, whether Keras's `predict` will put together again
            what is dealt out here.

    Returns:
        tf.distribute.DistributedDataset that begins with the epoch that the
        batches are at, and never ends; and int, how many steps an epoch is.

    Raises:
        ValueError: for a batch size that the replicas cannot share.
    """
    import tensorflow as tf

    replicas = strategy.num_replicas_in_sync
    check_batch_size(batches.batch_size, replicas)
    steps = steps_of_epoch(batches, fill_up)
    signature = {
        name: tf.TensorSpec(values.shape, values.dtype)
        for name, values in batches.share(0, 0, 0, replicas, fill_up).items()
    }

    def shares_of_worker(context):
        mine = _shares_of(context, by_device_first=to_predict)

        def shares():
            epoch = batches.epoch
            while True:
                for step in range(steps):
                    for share in mine:
                        yield batches.share(
                            epoch, step, share, replicas, fill_up
                        )
                epoch += 1

        dataset = tf.data.Dataset.from_generator(
            shares, output_signature=signature
        )
        # Said to be without end, for else workers would ask each other at
        # every step whether all of them have a batch left.
        endless = tf.data.experimental.assert_cardinality(
            tf.data.INFINITE_CARDINALITY
        )
        return untuned(dataset.apply(endless), AHEAD * len(mine))

    return strategy.distribute_datasets_from_function(shares_of_worker), steps


def steps_of_epoch(batches, fill_up):
    """Full batches of an epoch, or all; warns of what is left out.

    Args:
        batches: `data.Batches`.
        fill_up: bool, whether the last batch is filled up where it is not
            full.

    Returns:
        int.

    Raises:
        ValueError: if there is no full batch.
    """
    steps, rest = divmod(batches.num_images, batches.batch_size)
    if rest and fill_up:
        return steps + 1
    if not steps:
        raise ValueError(
            f"{batches.num_images} images do not fill a batch of "
            f"{batches.batch_size}; lower the batch size."
        )
    if rest:
        warnings.warn(
            f"{rest} of {batches.num_images} images do not fill a batch of "
            f"{batches.batch_size}, and are left out: replicas cannot share "
            "what is left equally.",
            stacklevel=5,
        )
    return steps


def check_batch_size(batch_size, replicas):
    """Refuses a batch that would give replicas unequal shares.

    Args:
        batch_size: int, of the global batch.
        replicas: int.

    Raises:
        ValueError: with the nearest sizes that can be shared.
    """
    if batch_size % replicas:
        lower = batch_size - batch_size % replicas
        near = " or ".join(map(str, filter(None, (lower, lower + replicas))))
        raise ValueError(
            f"`batch_size` is that of all replicas together and must be "
            f"divisible by their number, {replicas}; received {batch_size}, "
            f"choose {near}."
        )


def _shares_of(context, by_device_first):
    """Which shares of a batch go to a worker's replicas, in their order.

    Training goes by the replicas' numbers, worker by worker. What Keras's
    `predict` puts together again it takes to be dealt out worker by worker
    for the first device of each, then for the second.
    """
    workers = context.num_input_pipelines
    local = context.num_replicas_in_sync // workers
    shares = np.arange(context.num_replicas_in_sync)
    if by_device_first:
        shares = shares.reshape(local, workers).T
    return shares.reshape(workers, local)[context.input_pipeline_id].tolist()
