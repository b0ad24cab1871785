import numpy as np
import pytest
from keras import ops
from PIL import Image
from scipy import stats
from sklearn.datasets import load_sample_image

from keras_contrastive.views import ResizedCrop
from keras_contrastive.views.draws import Draws

CHINA = load_sample_image("china.jpg").astype("float32") / 255
FLOWER = load_sample_image("flower.jpg").astype("float32") / 255


def pillow(image, box, size, flip):
    """Pillow's own antialiased resize, in floats, one channel at a time."""
    planes = [
        Image.fromarray(np.ascontiguousarray(plane)).resize(
            size[::-1], Image.Resampling.BILINEAR, box=box
        )
        for plane in np.moveaxis(image, -1, 0)
    ]
    resized = np.stack(planes, axis=-1)
    return resized[:, ::-1] if flip else resized


def apply(images, boxes, flips, size):
    left, top, right, bottom = np.array(boxes, "float32").T
    return ops.convert_to_numpy(
        ResizedCrop.apply(
            ops.convert_to_tensor(images),
            top=ops.convert_to_tensor(top),
            left=ops.convert_to_tensor(left),
            height=ops.convert_to_tensor(bottom - top),
            width=ops.convert_to_tensor(right - left),
            flip=ops.convert_to_tensor(flips),
            size=size,
        )
    )


@pytest.mark.parametrize(
    "size", [(32, 32), (224, 224), (7, 90)], ids=lambda size: f"{size}"
)
def test_apply_is_pillows_resize(size):
    # Left, top, right, bottom: the whole photograph, strongly shrunken; small
    # boxes enlarged, at corners and inside; fractions of pixels; one axis
    # enlarged and the other shrunken; a single pixel.
    boxes = [
        (0, 0, 640, 427),
        (0, 0, 20, 15),
        (600, 400, 640, 427),
        (100, 80, 260, 160),
        (100.25, 80.5, 131.75, 127.125),
        (300, 0, 310, 427),
        (5, 6, 6, 7),
    ]
    images = np.stack([CHINA, FLOWER] * 4)[: len(boxes)]
    flips = np.arange(len(boxes)) % 3 == 0
    expected = [
        pillow(image, box, size, flip)
        for image, box, flip in zip(images, boxes, flips)
    ]
    np.testing.assert_allclose(
        apply(images, boxes, flips, size), expected, atol=2e-5
    )


def test_whole_image_at_its_own_size_is_unchanged():
    images = CHINA[None, :60, :90]
    box = [(0, 0, 90, 60)]
    np.testing.assert_array_equal(apply(images, box, [False], (60, 90)), images)
    np.testing.assert_array_equal(
        apply(images, box, [True], (60, 90)), images[:, :, ::-1]
    )


def sample(shape, count=20_000, seed=0, **arguments):
    crop = ResizedCrop(**arguments)
    parameters = {
        name: ops.convert_to_tensor(np.array([value], "float32"))
        for name, value in crop.parameters().items()
    }
    draws = Draws(
        seed=seed,
        step=0,
        positions=np.arange(count, dtype="int32"),
        view=0,
        stream=ResizedCrop.stream,
    )
    choices = crop.sample(draws, parameters, (*shape, 3))
    uniform = ops.convert_to_numpy(draws.per_image(24)).astype("float64")
    choices = {k: ops.convert_to_numpy(v) for k, v in choices.items()}
    return choices, uniform


def transcribed(u, shape, area, ratio):
    """torchvision's ten attempts and its fallback, for one image."""
    rows, columns = shape
    for trial in range(10):
        target = rows * columns * (area[0] + u[4 + trial] * np.ptp(area))
        logs = np.log(ratio)
        aspect = np.exp(logs[0] + u[14 + trial] * np.ptp(logs))
        width = round(np.sqrt(target * aspect))
        height = round(np.sqrt(target / aspect))
        if 0 < width <= columns and 0 < height <= rows:
            top = int(u[2] * (rows - height + 1))
            left = int(u[3] * (columns - width + 1))
            return top, left, height, width
    if columns / rows < ratio[0]:
        width, height = columns, round(columns / ratio[0])
    elif columns / rows > ratio[1]:
        width, height = round(rows * ratio[1]), rows
    else:
        width, height = columns, rows
    return (rows - height) // 2, (columns - width) // 2, height, width


@pytest.mark.parametrize(
    ("shape", "area", "ratio"),
    [
        ((32, 32), (0.08, 1.0), (3 / 4, 4 / 3)),
        ((32, 32), (0.9, 1.0), (3 / 4, 4 / 3)),
        ((427, 640), (0.2, 1.0), (3 / 4, 4 / 3)),
        # Here nearly no box fits: too wide, too high, and neither.
        ((20, 101), (0.5, 1.0), (3 / 4, 4 / 3)),
        ((101, 20), (0.5, 1.0), (3 / 4, 4 / 3)),
        ((30, 30), (1.0, 1.0), (0.5, 0.9)),
        ((30, 31), (1.0, 1.0), (0.5, 2.0)),
    ],
)
def test_boxes_are_torchvisions(shape, area, ratio):
    choices, uniform = sample(shape, 2000, area=area, ratio=ratio)
    names = ("top", "left", "height", "width")
    boxes = np.stack([choices[name] for name in names], axis=1)
    expected = [transcribed(u, shape, area, ratio) for u in uniform]
    np.testing.assert_array_equal(boxes, expected)
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, :2] + boxes[:, 2:] <= shape).all()


def test_area_ratio_and_place_are_uniform():
    # So large that whole pixels do not show, so small a box that all fit.
    shape, ratio = (8000, 8000), (3 / 4, 4 / 3)
    choices, _ = sample(shape, area=(0.1, 0.5), ratio=ratio)
    height, width = choices["height"], choices["width"]
    area = (height * width / 8000**2 - 0.1) / 0.4
    logarithm = np.log(width / height)
    logarithm = (logarithm - np.log(3 / 4)) / np.log(16 / 9)
    top = choices["top"] / (8000 - height)
    left = choices["left"] / (8000 - width)
    numbers = np.stack([area, logarithm, top, left, choices["flip"]])
    for uniform in numbers[:4]:
        assert stats.kstest(uniform, "uniform").pvalue > 1e-3
    correlation = np.corrcoef(numbers) - np.eye(5)
    assert abs(correlation).max() < 4.5 / np.sqrt(numbers.shape[1])


def test_every_place_of_a_small_image_is_as_likely():
    choices, _ = sample((32, 32), area=(0.25, 0.25), ratio=(1.0, 1.0))
    assert set(choices["height"]) == set(choices["width"]) == {16.0}
    for name in ("top", "left"):
        counts = np.bincount(choices[name].astype(int), minlength=17)
        assert len(counts) == 17
        assert stats.chisquare(counts).pvalue > 1e-3


@pytest.mark.parametrize("flip", [0.0, 0.5, 0.9, 1.0])
def test_flips_have_their_probability(flip):
    choices, _ = sample((32, 32), flip=flip)
    flips = choices["flip"]
    assert stats.binomtest(int(flips.sum()), len(flips), flip).pvalue > 1e-3


def test_crops_have_their_probability():
    choices, _ = sample((32, 48), area=(0.1, 0.5), probability=0.3)
    whole = (choices["height"] == 32) & (choices["width"] == 48)
    assert stats.binomtest(int(whole.sum()), len(whole), 0.7).pvalue > 1e-3
    assert (choices["top"][whole] == 0).all()
    assert (choices["left"][whole] == 0).all()
    # Flipping is a choice of its own.
    assert 0.4 < choices["flip"][whole].mean() < 0.6


def test_neutral_is_the_whole_image():
    assert ResizedCrop.neutral().idle
    assert not ResizedCrop(probability=0.0).idle
    choices, _ = sample((32, 48), flip=0.0, probability=0.0)
    assert set(choices["height"]) == {32.0}
    assert set(choices["width"]) == {48.0}
    assert not choices["flip"].any()


@pytest.mark.parametrize(
    ("arguments", "received"),
    [
        ({"area": (0.0, 1.0)}, "0.0"),
        ({"area": (0.5, 1.5)}, "1.5"),
        ({"area": 0.5}, "0.5"),
        ({"ratio": (2.0, 1.0)}, "2.0"),
        ({"ratio": (0.0, 1.0)}, "0.0"),
        ({"flip": 1.25}, "1.25"),
        ({"probability": -0.5}, "-0.5"),
    ],
)
def test_bad_arguments_are_refused(arguments, received):
    with pytest.raises(ValueError, match=received):
        ResizedCrop(**arguments)
