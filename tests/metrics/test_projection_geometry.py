"""Alignment, uniformity and spread, of what is known and of every method."""

import numpy as np
import pytest

from keras_contrastive import models
from keras_contrastive.metrics.projection_geometry import GEOMETRY
from keras_contrastive.metrics.projection_geometry import projection_geometry
from tests.models.checks import small_model

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3), "uint8")
LABELS = np.arange(12) % 3


def test_closed_forms():
    # Four points on two axes: pairs at the squared distance 2, or 4.
    points = np.array([[3, 0], [0, 2], [-1, 0], [0, -5]], "float32")
    found = projection_geometry(np.array([1.0, 0.0, -1.0], "float32"), points)
    np.testing.assert_allclose(found["projection_alignment"], [0, 2, 4])
    expected = np.log((8 * np.exp(-4.0) + 4 * np.exp(-8.0)) / 12)
    np.testing.assert_allclose(
        found["projection_uniformity"], expected, rtol=1e-5
    )
    np.testing.assert_allclose(found["projection_spread"], 1.0, rtol=1e-6)
    alike = projection_geometry(np.ones(1, "float32"), np.ones((4, 2), "f4"))
    assert float(alike["projection_spread"]) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    "name", ["SupCon", "TripletModel", "Siamese", "SimCLR", "MoCo"]
)
def test_methods_tell_of_their_projections(name):
    options = {"queue_size": 12} if name == "MoCo" else {}
    method = getattr(models, name)
    model = small_model(method, views="identity", **options)
    logs = model.evaluate(
        IMAGES, LABELS, batch_size=12, verbose=0, return_dict=True
    )
    projections = model.predict_projections(model.predict(IMAGES, verbose=0))
    # Without random views the two views of an image are the same.
    ones = np.ones(12, "float32")
    expected = projection_geometry(ones, projections)
    for figure in GEOMETRY:
        value = float(np.mean(expected[figure]))
        assert logs[figure] == pytest.approx(value, rel=1e-3, abs=1e-5), figure
