"""Small models and images that the tests of all methods train."""

import keras
import numpy as np
from keras import ops

from keras_contrastive import encoders


def images(count=24, size=8, seed=0):
    generator = np.random.default_rng(seed)
    return generator.integers(0, 256, (count, size, size, 3), dtype="uint8")


def encoder(normalization="batch", init_seed=0):
    keras.utils.set_random_seed(init_seed)
    return encoders.two_conv(
        input_shape=(8, 8, 3), channels=(4, 6), normalization=normalization
    )


def small_model(
    method, seed=0, normalization="batch", init_seed=0, eager=True, **kwargs
):
    """A method on a small encoder, compiled; for a few steps, eagerly.

    To trace a step takes longer than to run a hundred small ones eagerly.
    """
    # Only a crop and a flip: views are tested elsewhere, and compile fast.
    defaults = {"projector": "linear", "views": "weak"}
    model = method(
        encoder(normalization, init_seed), seed=seed, **{**defaults, **kwargs}
    )
    model.compile(
        optimizer=keras.optimizers.SGD(0.1, momentum=0.9), run_eagerly=eager
    )
    return model


def weights_of(model):
    return [ops.convert_to_numpy(each) for each in model.weights]


def assert_same_weights(first, second, **tolerance):
    for one, other in zip(weights_of(first), weights_of(second), strict=True):
        np.testing.assert_allclose(one, other, **tolerance)


def views_of(model, pixels, step):
    """The views of images at a step, as the model draws them."""
    positions = np.arange(len(pixels), dtype="int32")
    batch = {"images": pixels, "positions": positions}
    return model.each_view(model.make_views(batch, step))


def check_round_trip(model, path, x, **labels):
    """A model saved and loaded is the same: config, features, evaluation."""
    model.save(path)
    loaded = keras.saving.load_model(path)
    assert type(loaded) is type(model)
    assert_same_weights(model, loaded)
    np.testing.assert_array_equal(
        loaded.predict(x, verbose=0), model.predict(x, verbose=0)
    )
    options = {"batch_size": 12, "verbose": 0}
    np.testing.assert_allclose(
        loaded.evaluate(x, **labels, **options),
        model.evaluate(x, **labels, **options),
        rtol=1e-6,
    )
    return loaded


def check_resume(make, path, x, **labels):
    """Two epochs, saved, and two more are four epochs."""
    options = {"batch_size": 8, "verbose": 0, **labels}
    whole, part = make(), make()
    whole.fit(x, epochs=4, **options)
    part.fit(x, epochs=2, **options)
    part.save(path)
    rest = keras.saving.load_model(path)
    rest.fit(x, epochs=4, initial_epoch=2, **options)
    assert int(rest.step) == int(whole.step) == 4 * (len(x) // 8)
    assert_same_weights(whole, rest, rtol=1e-4, atol=1e-5)
