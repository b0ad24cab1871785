"""Each view's similarity with every other view of a batch of pairs."""

from keras import ops

from keras_contrastive.losses.cosine import unit_vectors
from keras_contrastive.losses.pairs import as_pairs
from keras_contrastive.losses.positions import positions_or_all

# Far below any similarity, yet finite once divided by a temperature:
# infinity would turn into NaN in the gradient of a row without others.
LEAST_SIMILARITY = -1e6


def view_similarities(
    view_1, view_2, candidates_1=None, candidates_2=None, positions=None
):
    """Compares 2N views with all 2M views of which they are a part.

    Args:
        view_1, view_2, candidates_1, candidates_2, positions: as in
            `anchors_and_candidates`.

    Returns:
        `similarities` `(2 * batch, 2 * all)`, rows and columns of view 1
        first, a view's similarity with itself replaced by
        `LEAST_SIMILARITY`; `partners` int32 `(2 * batch,)`, in which column
        the other view of a row's image stands; and `positives`
        `(2 * batch,)`, the similarity with it.

    Raises:
        ValueError: if shapes do not agree.
    """
    anchors, candidates, itself, partners = anchors_and_candidates(
        view_1, view_2, candidates_1, candidates_2, positions
    )
    similarities = ops.matmul(anchors, ops.transpose(candidates))
    positives = ops.squeeze(
        ops.take_along_axis(similarities, partners[:, None], axis=1), axis=1
    )
    similarities = without(similarities, itself)
    return similarities, partners, positives


def anchors_and_candidates(
    view_1, view_2, candidates_1=None, candidates_2=None, positions=None
):
    """Stacks 2N views, and all 2M views of which they are a part.

    Args:
        view_1: float tensor `(batch, dim)`, one view of each image, any norm.
        view_2: float tensor `(batch, dim)`, the other view of each image.
        candidates_1: float tensor `(all, dim)`, the first views of the whole
            batch; `view_1` by default.
        candidates_2: float tensor `(all, dim)`, the second views of the whole
            batch; `view_2` by default.
        positions: int tensor `(batch,)`, where these rows stand among the
            candidates; `0 .. batch - 1` by default.

    Returns:
        Unit vectors `anchors` `(2 * batch, dim)` and `candidates`
        `(2 * all, dim)`, view 1 first; and, int32 `(2 * batch,)`, which
        candidate an anchor is itself, and which is the other view of its
        image.

    Raises:
        ValueError: if shapes do not agree.
    """
    view_1, view_2 = as_pairs("view_1", view_1, "view_2", view_2)
    candidates_1, candidates_2 = as_pairs(
        "candidates_1",
        view_1 if candidates_1 is None else candidates_1,
        "candidates_2",
        view_2 if candidates_2 is None else candidates_2,
    )
    positions = positions_or_all(view_1, positions)
    count = ops.shape(candidates_1)[0]
    return (
        unit_vectors(ops.concatenate([view_1, view_2])),
        unit_vectors(ops.concatenate([candidates_1, candidates_2])),
        ops.concatenate([positions, positions + count]),
        ops.concatenate([positions + count, positions]),
    )


def without(similarities, columns, value=LEAST_SIMILARITY):
    """Takes one column out of the running in each row.

    Args:
        similarities: float tensor `(rows, columns)`.
        columns: int32 tensor `(rows,)`.
        value: float, what stands there instead.

    Returns:
        The same, with `value` there.
    """
    every = ops.arange(ops.shape(similarities)[1], dtype="int32")
    return ops.where(every[None] == columns[:, None], value, similarities)
