"""Rows of two tensors that belong together, checked."""

from keras_contrastive.losses.tensors import as_tensor


def as_pairs(name_1, embeddings_1, name_2, embeddings_2):
    """Takes two lists of as many vectors of one length, or refuses them.

    Args:
        name_1: str, what the caller calls the first.
        embeddings_1: array, tensor or lists of numbers.
        name_2: str, what the caller calls the second.
        embeddings_2: array, tensor or lists of numbers.

    Returns:
        Two arrays or tensors `(batch, dim)`.

    Raises:
        ValueError: if the shapes are not the same `(batch, dim)`.
    """
    embeddings_1 = as_tensor(name_1, embeddings_1)
    embeddings_2 = as_tensor(name_2, embeddings_2)
    shapes = tuple(embeddings_1.shape), tuple(embeddings_2.shape)
    if len(shapes[0]) != 2 or shapes[0] != shapes[1]:
        raise ValueError(
            f"`{name_1}` and `{name_2}` must both have the shape "
            f"(batch, dim), received {shapes[0]} and {shapes[1]}; give "
            "pairs, one row each."
        )
    return embeddings_1, embeddings_2
