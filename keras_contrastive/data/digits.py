"""scikit-learn's handwritten digits: the embedded source.

1,797 grey images of 8x8 with 17 levels, from the test set of Alpaydin and
Kaynak's "Optical Recognition of Handwritten Digits" (UCI, 1998). They have no
test set of their own: a fifth, stratified, is drawn for it, always the same.
"""

import numpy as np

from keras_contrastive.data.dataset import Dataset
from keras_contrastive.data.dataset import Split
from keras_contrastive.data.splits import split


def load_digits(image_size):
    """Loads the digits, enlarged, as uint8 of three equal channels.

    The levels 0 to 16 become 0 to 255, and Pillow's bicubic filter enlarges
    8x8 to the size asked for.

    Args:
        image_size: int, height and width in pixels.

    Returns:
        `Dataset` of 1,438 training and 359 test images.
    """
    from PIL import Image
    from sklearn import datasets

    digits = datasets.load_digits()
    small = np.round(digits.images * (255 / 16)).astype(np.uint8)
    grey = np.stack(
        [
            Image.fromarray(image).resize(
                (image_size, image_size), Image.Resampling.BICUBIC
            )
            for image in small
        ]
    )
    images = np.repeat(grey[..., np.newaxis], 3, axis=-1)
    labels = digits.target.astype(np.int32)
    train, test = split(labels, (0.8, 0.2), seed=0)
    return Dataset(
        name="digits",
        train=Split(images[train], labels[train]),
        test=Split(images[test], labels[test]),
        class_names=tuple(str(name) for name in digits.target_names),
    )
