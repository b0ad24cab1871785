"""A contact sheet: images and several views of each, for a person to judge."""

import numpy as np
from keras import ops

from keras_contrastive.views.policy import policy as named_policy

_GAP = 2
_WHITE = 255


def contact_sheet(
    policy, images, num_views=8, seed=0, step=0, policy_ids=None, zoom=1
):
    """Draws each image in a row, itself first and then views of it.

    Args:
        policy: `Policy`, `PolicySet`, or another object that is called alike.
        images: uint8, or float in [0, 1], `(batch, height, width, channels)`,
            of 1 or 3 channels.
        num_views: int, how many views to draw of each image.
        seed: int.
        step: int, the training step whose views to draw.
        policy_ids: int32 `(batch,)`, for a `PolicySet`.
        zoom: int, how many pixels of the sheet make a pixel of a view.

    Returns:
        uint8 array `(sheet_height, sheet_width, channels)`, with white lines
        of two pixels between the pictures.

    Example:

    ```python
    import numpy as np
    from keras_contrastive import views

    images = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), "uint8")
    sheet = views.contact_sheet(views.policy("simclr"), images)  # (138, 308, 3)
    ```
    """
    columns = [
        policy(images, seed=seed, step=step, view=view, policy_ids=policy_ids)
        for view in range(num_views)
    ]
    size = tuple(columns[0].shape[1:3])
    resize = named_policy("identity", size=size)
    columns.insert(0, resize(images, seed=0, step=0, view=0))
    cells = np.stack([ops.convert_to_numpy(c) for c in columns], axis=1)
    cells = np.round(cells * 255).astype("uint8")
    cells = cells.repeat(zoom, axis=2).repeat(zoom, axis=3)
    # A gap right of and below each picture; none at the sheet's edges.
    gaps = ((0, 0), (0, 0), (0, _GAP), (0, _GAP), (0, 0))
    cells = np.pad(cells, gaps, constant_values=_WHITE)
    rows, columns, height, width, channels = cells.shape
    sheet = cells.transpose(0, 2, 1, 3, 4)
    sheet = sheet.reshape(rows * height, columns * width, channels)
    return sheet[:-_GAP, :-_GAP]
