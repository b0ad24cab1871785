import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from experiments import pictures

METRICS = [
    {
        "epoch": epoch,
        "loss": 5.0 / epoch,
        "contrastive_accuracy": 0.1 * epoch,
        "learning_rate": 1e-3,
    }
    | ({"knn_accuracy": 0.2 + 0.05 * epoch} if epoch % 2 else {})
    for epoch in range(1, 6)
]


def pixels(path):
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def has_colour(image, colour):
    """Whether a colour, "#rrggbb", is in a picture."""
    value = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return bool((image == value).all(axis=-1).any())


def blobs(count, dim, classes, seed=0):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, classes, count)
    centres = generator.normal(size=(classes, dim)) * 8
    return centres[labels] + generator.normal(size=(count, dim)), labels


def test_curves_have_a_panel_for_each_thing_logged(tmp_path):
    pictures.draw_curves(METRICS, tmp_path / "all.png")
    pictures.draw_curves(
        [{"epoch": 1, "loss": 5.0}], str(tmp_path / "loss.png")
    )
    everything, loss = (
        pixels(tmp_path / name) for name in ("all.png", "loss.png")
    )
    assert everything.shape[1] == 4 * loss.shape[1]
    assert has_colour(loss, pictures.LINE_COLOURS[0])


def test_curves_without_any_epoch_are_still_a_picture(tmp_path):
    pictures.draw_curves([], tmp_path / "none.png")
    assert pixels(tmp_path / "none.png").min() < 128


def test_curves_bear_values_that_are_not_finite(tmp_path):
    metrics = [{"epoch": 1, "loss": float("nan")}, {"epoch": 2, "loss": 3.0}]
    pictures.draw_curves(metrics, tmp_path / "nan.png")
    assert pixels(tmp_path / "nan.png").size


def test_embedding_shows_every_class_and_is_the_same_again(tmp_path):
    features, labels = blobs(60, 8, 3)
    for name in "ab":
        pictures.draw_embedding(
            features, labels, ["x", "_y", "$z"], tmp_path / name
        )
    a, b = (pixels(tmp_path / name) for name in "ab")
    for colour in pictures.CLASS_COLOURS[:3]:
        assert has_colour(a, colour)
    assert not has_colour(a, pictures.CLASS_COLOURS[3])
    np.testing.assert_array_equal(a, b)


def test_embedding_takes_features_without_labels(tmp_path):
    features, _ = blobs(20, 5, 2)
    pictures.draw_embedding(features, None, None, tmp_path / "e.png")
    image = pixels(tmp_path / "e.png")
    assert has_colour(image, pictures.LINE_COLOURS[0])
    assert not has_colour(image, pictures.CLASS_COLOURS[1])


@pytest.mark.parametrize("classes", [12, 30])
def test_embedding_bears_many_classes(tmp_path, classes):
    labels = np.arange(classes)
    features = np.random.default_rng(0).normal(size=(classes, 4))
    pictures.draw_embedding(features, labels, None, tmp_path / "e.png")
    assert pixels(tmp_path / "e.png").size


def test_neighbourhoods_are_kept_apart():
    features, labels = blobs(90, 16, 3)
    points, method = pictures._plane(features.astype("float32"), seed=0)
    assert method == "t-SNE" and points.shape == (90, 2)
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    np.fill_diagonal(distances, np.inf)
    assert (labels[distances.argmin(axis=1)] == labels).all()


@pytest.mark.parametrize(
    "features",
    [
        np.ones((80, 6)),
        np.random.default_rng(0).normal(size=(80, 1)),
        np.random.default_rng(0).normal(size=(5, 6)),
        np.full((80, 6), np.nan),
        np.ones((1, 6)),
    ],
    ids=["collapsed", "one column", "few", "not finite", "one image"],
)
def test_what_tsne_cannot_take_is_drawn_by_components(features):
    points, method = pictures._plane(features.astype("float32"), seed=0)
    assert method == "PCA"
    assert points.shape == (len(features), 2) and np.isfinite(points).all()


def test_components_are_those_of_the_covariance():
    generator = np.random.default_rng(0)
    features = generator.normal(size=(40, 5)) * [5, 1, 0.2, 3, 0.1]
    points = pictures._principal_components(features, 2)
    values = np.linalg.eigvalsh(np.cov(features.T))[::-1]
    np.testing.assert_allclose(points.var(axis=0, ddof=1), values[:2])
    np.testing.assert_allclose(points.mean(axis=0), 0, atol=1e-12)


def test_embedding_is_of_two_thousand_images_at_most(tmp_path, monkeypatch):
    seen = []

    def plane(features, seed):
        seen.append(features)
        return features[:, :2], "PCA"

    monkeypatch.setattr(pictures, "_plane", plane)
    features = np.arange(2500.0)[:, None] * [1.0, -1.0]
    labels = np.arange(2500) % 2
    for seed in (3, 3, 4):
        pictures.draw_embedding(
            features, labels, None, tmp_path / "e.png", seed=seed
        )
    first, again, other = seen
    assert len(np.unique(first[:, 0])) == 2000
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize(
    ("features", "labels", "message"),
    [
        (np.ones((4, 2, 2)), None, r"`features`.*\(4, 2, 2\)"),
        (np.ones((0, 2)), None, r"`features`.*\(0, 2\)"),
        (np.ones((4, 2)), np.zeros(3), r"`labels`.*\(4,\).*\(3,\)"),
    ],
)
def test_embedding_refuses_what_does_not_fit(
    tmp_path, features, labels, message
):
    with pytest.raises(ValueError, match=message):
        pictures.draw_embedding(features, labels, None, tmp_path / "e.png")


@pytest.mark.parametrize("shape", [(8, 12, 3), (8, 12, 1), (8, 12)])
def test_views_are_enlarged_pixel_by_pixel(tmp_path, shape):
    sheet = np.random.default_rng(0).integers(0, 256, shape, "uint8")
    pictures.draw_views(sheet, tmp_path / "views.png")
    image = pixels(tmp_path / "views.png")
    assert image.shape == (32, 48, 3)
    expected = np.broadcast_to(sheet.reshape(8, 12, -1), (8, 12, 3))
    for offset in (0, 3):
        np.testing.assert_array_equal(image[offset::4, offset::4], expected)


def test_a_large_sheet_is_not_enlarged_beyond_measure(tmp_path):
    sheet = np.zeros((20, 700, 3), "uint8")
    pictures.draw_views(sheet, tmp_path / "views.png")
    assert pixels(tmp_path / "views.png").shape == (40, 1400, 3)


@pytest.mark.parametrize(
    "sheet",
    [
        np.zeros((4, 4, 3), "float32"),
        np.zeros((4, 4, 2), "uint8"),
        np.zeros((2, 4, 4, 3), "uint8"),
        np.zeros((0, 4, 3), "uint8"),
    ],
)
def test_views_refuse_what_is_no_picture(tmp_path, sheet):
    with pytest.raises(ValueError, match="`sheet_array`.*received"):
        pictures.draw_views(sheet, tmp_path / "views.png")


def test_importing_pictures_loads_nothing_heavy():
    code = (
        "import sys, experiments.pictures;"
        "heavy = {'matplotlib', 'sklearn', 'PIL', 'keras'};"
        "assert not heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_figure_stays_open(tmp_path):
    import matplotlib.pyplot as plt

    pictures.draw_curves(METRICS, tmp_path / "curves.png")
    assert not plt.get_fignums()
