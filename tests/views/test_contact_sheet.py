import numpy as np
import pytest
from sklearn.datasets import load_sample_image

from keras_contrastive import views

PHOTOGRAPHS = np.stack(
    [load_sample_image(name) for name in ("china.jpg", "flower.jpg")]
)


def cells(sheet, rows, columns, size):
    """Takes a sheet apart, and asserts that what remains is white."""
    height, width = size
    pictures = np.empty((rows, columns, *size, sheet.shape[-1]), "uint8")
    rest = sheet.copy()
    for row, column in np.ndindex(rows, columns):
        top, left = row * (height + 2), column * (width + 2)
        part = np.s_[top : top + height, left : left + width]
        pictures[row, column] = sheet[part]
        rest[part] = 255
    assert (rest == 255).all()
    return pictures


def test_rows_are_images_and_columns_their_views():
    policy = views.policy("simclr", size=(24, 36))
    sheet = views.contact_sheet(
        policy, PHOTOGRAPHS, num_views=3, seed=5, step=2
    )
    assert sheet.dtype == "uint8"
    assert sheet.shape == (2 * 26 - 2, 4 * 38 - 2, 3)
    pictures = cells(sheet, 2, 4, (24, 36))
    resize = views.policy("identity", size=(24, 36))
    original = np.asarray(resize(PHOTOGRAPHS, seed=0, step=0, view=0))
    np.testing.assert_allclose(pictures[:, 0], original * 255, atol=0.51)
    for view in range(3):
        expected = policy(PHOTOGRAPHS, seed=5, step=2, view=view)
        np.testing.assert_allclose(
            pictures[:, 1 + view], np.asarray(expected) * 255, atol=0.51
        )
    spread = pictures.astype(float).std(axis=(2, 3, 4))
    assert (spread > 5).all()
    assert len(np.unique(pictures.reshape(8, -1), axis=0)) == 8


def test_zoom_repeats_pixels():
    policy = views.policy("weak", size=8)
    sheet = views.contact_sheet(policy, PHOTOGRAPHS, num_views=1)
    zoomed = views.contact_sheet(policy, PHOTOGRAPHS, num_views=1, zoom=3)
    small, large = cells(sheet, 2, 2, (8, 8)), cells(zoomed, 2, 2, (24, 24))
    np.testing.assert_array_equal(
        large, small.repeat(3, axis=2).repeat(3, axis=3)
    )


@pytest.mark.parametrize("ids", [[0, 1], [1, 0]])
def test_a_set_of_policies_needs_ids(ids):
    policies = views.policies(["identity", "simclr"], size=8)
    sheet = views.contact_sheet(
        policies, PHOTOGRAPHS, num_views=2, policy_ids=np.array(ids)
    )
    pictures = cells(sheet, 2, 3, (8, 8))
    unchanged = (pictures == pictures[:, :1]).all(axis=(1, 2, 3, 4))
    assert unchanged.tolist() == [policy == 0 for policy in ids]
