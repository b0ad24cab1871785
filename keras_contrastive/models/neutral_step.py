"""Parts of a step in operations that every backend has."""

from keras import ops


def draw_view(policy, seed, images, step, view, positions, policy_ids):
    """One random view of each image.

    Args:
        policy: a view policy.
        seed: int.
        images: tensor `(N, H, W, C)`, uint8 or float in [0, 1].
        step: int32 scalar tensor.
        view: int, which of an image's views.
        positions: int32 tensor `(N,)`.
        policy_ids: int32 tensor `(N,)`, or None.

    Returns:
        float32 tensor `(N, h, w, C)`.
    """
    return policy(
        images,
        seed=seed,
        step=step,
        view=view,
        positions=positions,
        policy_ids=policy_ids,
    )


def take_rows(column, numbers):
    """Gathers rows of what is on the device, there.

    Args:
        column: tensor `(M, ...)`.
        numbers: int32 tensor `(N,)`.

    Returns:
        Tensor `(N, ...)`.
    """
    return ops.take(column, numbers, axis=0)
