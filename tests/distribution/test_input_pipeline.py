"""What TensorFlow draws from a pipeline, and that it does not tune it."""

import keras
import numpy as np
import pytest

from keras_contrastive import models
from keras_contrastive.data import batches
from keras_contrastive.data.row_batches import RowBatches
from tests.small_methods import IMAGES
from tests.small_methods import LABELS
from tests.small_methods import encoder

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="tf.data"
)


def drawn(dataset):
    return [
        {name: values.numpy() for name, values in batch.items()}
        for batch in dataset
    ]


@pytest.mark.parametrize("rows", [False, True])
def test_a_pipeline_has_the_batches_of_an_epoch(rows):
    from keras_contrastive.distribution.input_pipeline import pipeline

    def source():
        made = batches(IMAGES, 16, labels=LABELS, drop_remainder=False, seed=3)
        return RowBatches(made) if rows else made

    ours, expected = source(), source()
    dataset = pipeline(ours)
    assert dataset.cardinality() == len(expected) == 3
    for epoch in range(2):
        # Drawing the last batch is what ends an epoch.
        assert ours.epoch == epoch
        expected.epoch = epoch
        found = drawn(dataset)
        assert [len(each["positions"]) for each in found] == [16, 16, 8]
        for index, batch in enumerate(found):
            wanted = expected[index]
            assert batch.keys() == wanted.keys()
            for name, values in batch.items():
                np.testing.assert_array_equal(values, wanted[name])
                assert values.dtype == wanted[name].dtype


def test_models_are_fed_by_pipelines_that_nothing_tunes(monkeypatch):
    fed = []

    def notes(self, x=None, **kwargs):
        fed.append(x)
        fed.append(kwargs.get("validation_data"))

    for name in ("fit", "evaluate"):
        monkeypatch.setattr(keras.Model, name, notes)
    model = models.SimCLR(encoder(), views="weak")
    model.fit(IMAGES, batch_size=8, validation_data=IMAGES)
    model.fit(IMAGES, batch_size=8, data_on_device=True)
    model.evaluate(IMAGES, batch_size=8)
    given = [each for each in fed if each is not None]
    assert len(given) == 4
    for dataset in given:
        assert dataset.options().autotune.enabled is False


def test_a_fit_is_that_of_batches_which_keras_draws(monkeypatch):
    def fitted():
        keras.utils.set_random_seed(0)
        model = models.SimCLR(encoder(), views="weak")
        model.compile(keras.optimizers.SGD(0.1))
        kwargs = {"batch_size": 16, "epochs": 3, "verbose": 0}
        history = model.fit(IMAGES, validation_data=IMAGES, **kwargs).history
        return history, model.predict(IMAGES, batch_size=16, verbose=0)

    history, features = fitted()
    monkeypatch.setattr(
        models.SimCLR, "fed", lambda self, data, **_: (data, None)
    )
    expected, expected_features = fitted()
    assert history == expected
    np.testing.assert_array_equal(features, expected_features)
