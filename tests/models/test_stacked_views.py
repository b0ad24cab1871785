import numpy as np
import pytest
from keras import ops

from keras_contrastive import models
from keras_contrastive import views
from tests.models.checks import images
from tests.models.checks import small_model


def model(**kwargs):
    return small_model(models.ContrastiveModel, **kwargs)


def batch(count=5):
    return {
        "images": images(count),
        "positions": np.arange(count, dtype="int32"),
    }


def rows_of(drawn, view_order):
    """Views of one image after the other, or of one kind."""
    if view_order == "view_major":
        return np.concatenate(drawn)
    return np.stack([view[image] for image in range(5) for view in drawn])


@pytest.mark.parametrize("view_order", ["image_major", "view_major"])
def test_views_are_stacked_in_their_order(view_order):
    """Three views, each of a policy of its own."""
    names = ("weak", "simclr", "moco_v2")
    drawn = [
        ops.convert_to_numpy(
            views.policy(name)(images(5), seed=3, step=7, view=view)
        )
        for view, name in enumerate(names)
    ]
    policies = [*names[:2], views.policy(names[2])]
    stacked = model(views=policies, view_order=view_order, seed=3)
    found = stacked.make_views(batch(), 7)
    np.testing.assert_allclose(found, rows_of(drawn, view_order), atol=1e-6)
    for view, expected in zip(stacked.each_view(found), drawn, strict=True):
        np.testing.assert_allclose(view, expected, atol=1e-6)
    ids = np.array([4, 1, 0, 2, 2], "int32")
    np.testing.assert_array_equal(
        stacked.repeat_each_view(ids), rows_of([ids] * 3, view_order)
    )
    assert stacked.row_lots == (3 if view_order == "view_major" else 1)


@pytest.mark.parametrize("view_order", ["image_major", "view_major"])
def test_other_numbers_of_views_are_stacked_likewise(view_order):
    """More lots of images than there are policies: the last one's."""
    stacked = model(view_order=view_order)
    lots = [images(5, seed=lot) for lot in range(3)]
    found = stacked.draw_views(lots, batch(), 0)
    drawn = [
        ops.convert_to_numpy(
            views.policy("weak")(each, seed=0, step=0, view=view)
        )
        for view, each in enumerate(lots)
    ]
    np.testing.assert_allclose(found, rows_of(drawn, view_order), atol=1e-6)
    for view, expected in zip(stacked.each_view(found, 3), drawn, strict=True):
        np.testing.assert_allclose(view, expected, atol=1e-6)


def test_views_of_evaluation_are_those_of_step_0():
    stacked = model()
    fixed = stacked.make_evaluation_views(batch())
    np.testing.assert_array_equal(fixed, stacked.make_views(batch(), 0))
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(fixed, stacked.make_views(batch(), 1))
