"""From an image file of any kind to a small RGB square."""

import numpy as np


def decode_image(path, image_size):
    """Decodes one image file into a square of three channels.

    The first frame, turned as its EXIF orientation says, in RGB: transparent
    pixels on white, 16 bits scaled to 8. Then the central square, brought to
    the size asked for by Pillow's antialiased bilinear filter; that is the
    shorter side resized and the longer one cropped.

    Args:
        path: path of the file.
        image_size: int, height and width in pixels.

    Returns:
        uint8 (image_size, image_size, 3).

    Raises:
        Exception: of any kind that Pillow raises for a file it cannot read.
    """
    from PIL import Image
    from PIL import ImageOps

    with Image.open(path) as image:
        # A JPEG decodes at a half, a quarter or an eighth several times
        # faster. Twice the size needed keeps what the filter sees.
        image.draft(None, (2 * image_size, 2 * image_size))
        image.load()
        image = _to_rgb(ImageOps.exif_transpose(image))
        side = min(image.size)
        left, top = ((length - side) / 2 for length in image.size)
        image = image.resize(
            (image_size, image_size),
            Image.Resampling.BILINEAR,
            box=(left, top, left + side, top + side),
        )
        return np.asarray(image)


def _to_rgb(image):
    from PIL import Image

    if image.mode == "RGB":
        return image
    if image.mode.startswith("I"):
        # Sixteen bits, in whichever byte order: `convert` would clip them.
        levels = np.asarray(image).astype(np.float64) * (255 / 65535)
        levels = np.clip(np.round(levels), 0, 255).astype(np.uint8)
        return Image.fromarray(levels).convert("RGB")
    if image.mode == "F":
        levels = np.nan_to_num(np.asarray(image, np.float64))
        levels = levels * 255 if levels.max() <= 1 else levels
        levels = np.clip(np.round(levels), 0, 255).astype(np.uint8)
        return Image.fromarray(levels).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")
