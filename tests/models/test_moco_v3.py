import numpy as np
import pytest
from keras import ops

from keras_contrastive import losses
from keras_contrastive import models
from tests.models.checks import check_resume
from tests.models.checks import check_round_trip
from tests.models.checks import images
from tests.models.checks import small_model
from tests.models.checks import views_of
from tests.models.checks import weights_of


def moco_v3(**kwargs):
    return small_model(models.MoCoV3, **{"momentum": 0.9, **kwargs})


@pytest.mark.parametrize("predictor", ["linear", None])
def test_the_first_step_by_hand(predictor):
    model, pixels = moco_v3(predictor=predictor), images(6)
    views = views_of(model, pixels, 0)
    both = ops.concatenate(views)
    keys = model.projector(model.encoder(both, training=True))
    queries = keys if predictor is None else model.predictor(keys)
    queries, keys = np.split(queries, 2), np.split(keys, 2)
    rows = [
        losses.info_nce(queries[0], keys[1], temperature=0.2),
        losses.info_nce(queries[1], keys[0], temperature=0.2),
    ]
    fresh = moco_v3(predictor=predictor)
    history = fresh.fit(pixels, batch_size=6, shuffle=False, verbose=0)
    loss = history.history["loss"][0]
    np.testing.assert_allclose(loss, np.mean(rows), rtol=1e-4)


def test_the_predictor_learns_and_the_copy_follows():
    model = moco_v3()
    predictor = weights_of(model.predictor)
    copy = weights_of(model.key_encoder)
    model.fit(images(), batch_size=12, epochs=2, verbose=0)
    for before, after in (
        (predictor, weights_of(model.predictor)),
        (copy, weights_of(model.key_encoder)),
    ):
        assert np.abs(before[0] - after[0]).max() > 1e-5
    assert not model.key_encoder.trainable_variables


def test_it_learns():
    model = moco_v3(eager=False)
    history = model.fit(images(), batch_size=12, epochs=25, verbose=0).history
    assert np.mean(history["loss"][-3:]) < np.mean(history["loss"][:3])


def test_save_load_and_resume(tmp_path):
    model = moco_v3(temperature=0.3)
    model.fit(images(), batch_size=8, verbose=0)
    loaded = check_round_trip(model, tmp_path / "model.keras", images())
    assert loaded.temperature == 0.3
    check_resume(moco_v3, tmp_path / "part.keras", images())


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="`temperature`.*-1"):
        moco_v3(temperature=-1)
    with pytest.raises(ValueError, match="`momentum`.*2"):
        moco_v3(momentum=2)
