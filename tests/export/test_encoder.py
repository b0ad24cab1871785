import keras
import numpy as np
import pytest

from keras_contrastive import data
from keras_contrastive import encoders
from keras_contrastive import export
from keras_contrastive import layers
from keras_contrastive import models


def images(count=24, seed=0):
    generator = np.random.default_rng(seed)
    return generator.integers(0, 256, (count, 8, 8, 3), dtype="uint8")


def trained(normalization):
    model = models.SimCLR(
        encoders.two_conv(
            input_shape=(8, 8, 3), channels=(4, 6), normalization=normalization
        ),
        projector="linear",
    )
    model.compile(optimizer=keras.optimizers.SGD(0.1))
    ids = np.arange(24, dtype="int32") % 3
    model.fit(data.batches(images(), 12, split_ids=ids), epochs=3, verbose=0)
    return model


@pytest.mark.parametrize(
    "normalization",
    [
        "batch",
        "group",
        "batch_renorm",
        layers.SplitBatchNormalization(
            3, "ids", split_statistics=True, split_affine=True
        ),
        layers.SplitBatchNormalization(4, "contiguous"),
    ],
    ids=lambda value: getattr(value, "assignment", value),
)
def test_exported_encoder_gives_the_models_features(tmp_path, normalization):
    model = trained(normalization)
    export.encoder(model).save(tmp_path / "encoder.keras")
    loaded = keras.saving.load_model(tmp_path / "encoder.keras")
    pixels = images(seed=1)
    np.testing.assert_allclose(
        loaded.predict(pixels, verbose=0),
        model.predict(pixels, verbose=0),
        rtol=1e-4,
        atol=1e-5,
    )
    assert len(loaded.inputs) == 1
    assert keras.backend.standardize_dtype(loaded.inputs[0].dtype) == "uint8"


def test_exported_encoder_can_be_a_saved_model(tf, tmp_path):
    model = trained("batch")
    export.encoder(model).export(tmp_path / "saved", verbose=False)
    saved = tf.saved_model.load(tmp_path / "saved")
    np.testing.assert_allclose(
        saved.serve(images(seed=1)),
        model.predict(images(seed=1), verbose=0),
        rtol=1e-4,
        atol=1e-5,
    )


def test_an_encoder_by_itself_is_exported():
    encoder = encoders.two_conv(input_shape=(8, 8, 3), channels=(4, 6))
    pixels = images()
    np.testing.assert_allclose(
        export.encoder(encoder).predict(pixels, verbose=0),
        encoder.predict(pixels / np.float32(255), verbose=0),
        rtol=1e-5,
        atol=1e-6,
    )
