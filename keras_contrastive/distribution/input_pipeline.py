"""How TensorFlow is fed: by a pipeline that it does not tune.

What tf.data would tune is the number of batches drawn ahead, by a thread that
sleeps twice as long each time. Whoever ends the pipeline, as `fit`, `evaluate`
and `predict` do when they return, waits until it wakes, which is as long again
as the pipeline was in use, up to a minute. Batches of rows are drawn in a
millisecond, and two of them ahead will do.
"""

AHEAD = 2


def untuned(dataset, ahead=AHEAD):
    """A pipeline that draws a given number of elements ahead.

    Args:
        dataset: tf.data.Dataset.
        ahead: int, how many elements.

    Returns:
        tf.data.Dataset.
    """
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.prefetch(ahead).with_options(options)


def pipeline(batches):
    """What a device trains on: an epoch of batches at a time.

    Args:
        batches: `data.Batches`, or a keras.utils.PyDataset like it, whose
            batches are dicts of arrays.

    Returns:
        tf.data.Dataset of one epoch, whichever the batches are at when it is
        iterated.
    """
    import tensorflow as tf

    def epoch():
        batches.on_epoch_begin()
        for index in range(len(batches)):
            yield batches[index]
        batches.on_epoch_end()

    signature = {
        # The last batch may hold fewer.
        name: tf.TensorSpec((None, *values.shape[1:]), values.dtype)
        for name, values in batches[0].items()
    }
    dataset = tf.data.Dataset.from_generator(epoch, output_signature=signature)
    of_length = tf.data.experimental.assert_cardinality(len(batches))
    return untuned(dataset.apply(of_length))
