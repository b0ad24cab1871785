"""Files of every kind become RGB squares."""

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images

from keras_contrastive.data.decode_image import decode_image

PHOTO = load_sample_images().images[0]  # (427, 640, 3)
RNG = np.random.default_rng(0)


def reference(array, size):
    """Shorter side resized, then the longer one cropped, in two steps."""
    image = Image.fromarray(array)
    scale = size / min(image.size)
    width, height = (round(side * scale) for side in image.size)
    image = image.resize((width, height), Image.Resampling.BILINEAR)
    left, top = (width - size) // 2, (height - size) // 2
    return np.asarray(image.crop((left, top, left + size, top + size)))


@pytest.mark.parametrize("size", [32, 96, 224])
@pytest.mark.parametrize("name", ["photo.png", "photo.jpg"])
@pytest.mark.parametrize("turned", [False, True])
def test_photographs(tmp_path, name, size, turned):
    array = np.ascontiguousarray(PHOTO.transpose(1, 0, 2) if turned else PHOTO)
    Image.fromarray(array).save(tmp_path / name, quality=95)
    decoded = decode_image(tmp_path / name, size)
    assert decoded.shape == (size, size, 3) and decoded.dtype == np.uint8
    error = decoded.astype(int) - reference(array, size)
    # Half a pixel of difference in the crop, and JPEG's own losses.
    assert np.abs(error).mean() < 4
    assert np.abs(error.mean((0, 1))).max() < 1


def test_the_crop_is_central(tmp_path):
    array = np.zeros((10, 30, 3), np.uint8)
    array[:, 10:20] = 200
    Image.fromarray(array).save(tmp_path / "wide.png")
    assert np.all(decode_image(tmp_path / "wide.png", 10) == 200)


def test_an_image_of_the_size_asked_for_stays(tmp_path):
    array = RNG.integers(0, 256, (16, 16, 3), np.uint8)
    Image.fromarray(array).save(tmp_path / "same.png")
    assert np.array_equal(decode_image(tmp_path / "same.png", 16), array)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(tmp_path, orientation):
    # Each quadrant its own grey, as the camera meant it.
    meant = np.kron([[10, 80], [150, 220]], np.ones((16, 16))).astype("uint8")
    # What the sensor stored, by the definition of the tag.
    stored = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.T,
        6: lambda a: np.rot90(a),
        7: lambda a: a[::-1, ::-1].T,
        8: lambda a: np.rot90(a, -1),
    }
    image = Image.fromarray(np.ascontiguousarray(stored[orientation](meant)))
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(tmp_path / "turned.png", exif=exif)
    decoded = decode_image(tmp_path / "turned.png", 32)
    assert np.array_equal(decoded[..., 0], meant)


RED = (200, 30, 40)


def square(mode, colour):
    return Image.new(mode, (20, 20), colour)


def palette(**options):
    image = square("P", 1)
    image.putpalette([0, 0, 0, *RED, 9, 9, 9])
    image.info.update(options)
    return image


def sixteen_bits(dtype):
    return Image.fromarray(np.full((20, 20), 200 * 257, dtype))


KINDS = {
    "rgb.png": (square("RGB", RED), RED),
    "opaque.png": (square("RGBA", (*RED, 255)), RED),
    "clear.png": (square("RGBA", (*RED, 0)), (255, 255, 255)),
    # 0.4 of red on 0.6 of white.
    "half.png": (square("RGBA", (*RED, 102)), (233, 165, 169)),
    "grey.png": (square("L", 90), (90, 90, 90)),
    "grey_clear.png": (square("LA", (90, 0)), (255, 255, 255)),
    "bits.png": (square("1", 1), (255, 255, 255)),
    "palette.png": (palette(), RED),
    "palette_clear.png": (palette(transparency=1), (255, 255, 255)),
    "sixteen.png": (sixteen_bits(np.uint16), (200, 200, 200)),
    "sixteen.tif": (sixteen_bits(">u2"), (200, 200, 200)),
    "thirty_two.tif": (sixteen_bits(np.int32), (200, 200, 200)),
    "float.tif": (square("F", 0.2), (51, 51, 51)),
    "float_levels.tif": (square("F", 51.2), (51, 51, 51)),
    "cmyk.tif": (square("CMYK", (0, 255, 255, 0)), (255, 0, 0)),
    "cmyk.jpg": (square("CMYK", (0, 255, 255, 0)), (255, 0, 0)),
    "bitmap.bmp": (square("RGB", RED), RED),
    "web.webp": (square("RGB", RED), RED),
}


@pytest.mark.parametrize("name", KINDS)
def test_kinds(tmp_path, name):
    image, colour = KINDS[name]
    image.save(tmp_path / name)
    decoded = decode_image(tmp_path / name, 8)
    assert decoded.shape == (8, 8, 3) and decoded.dtype == np.uint8
    lossy = name.endswith(("jpg", "webp"))
    assert np.abs(decoded - np.int64(colour)).max() <= (2 if lossy else 0)


def test_the_first_frame_of_an_animation(tmp_path):
    frames = [square("RGB", RED), square("RGB", (0, 200, 0))]
    frames[0].save(
        tmp_path / "moving.gif", save_all=True, append_images=frames[1:]
    )
    decoded = decode_image(tmp_path / "moving.gif", 8)
    assert np.abs(decoded - np.int64(RED)).max() <= 2


@pytest.mark.parametrize("content", [b"", b"no image", None])
def test_damaged_files_raise(tmp_path, content):
    path = tmp_path / "damaged.jpg"
    Image.fromarray(PHOTO).save(path)
    path.write_bytes(path.read_bytes()[:9000] if content is None else content)
    with pytest.raises(OSError):
        decode_image(path, 32)
