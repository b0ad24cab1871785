"""InfoNCE of a batch of queries, and what it tells about the batch."""

from keras_contrastive.distribution import replicas
from keras_contrastive.losses.info_nce import info_nce_rows
from keras_contrastive.losses.info_nce import info_nce_similarities
from keras_contrastive.metrics.contrastive_figures import contrastive_figures


def info_nce_and_figures(
    queries, keys, negatives=None, temperature=0.1, **candidates
):
    """Each query's loss, and the contrastive figures of all.

    Args:
        queries: float tensor `(batch, dim)`, any norm.
        keys: float tensor `(batch, dim)`, the queries' positives.
        negatives: as in `losses.info_nce`.
        temperature: float > 0.
        **candidates: candidates and positions, as in `losses.info_nce`.

    Returns:
        Tensor `(batch,)`; and a dict from each name of `FIGURES` to a
        tensor.
    """
    similarities = info_nce_similarities(queries, keys, negatives, **candidates)
    rows = info_nce_rows(*similarities, temperature)
    # Spread and uniformity are of the global batch.
    queries = replicas.all_gather(queries)
    return rows, contrastive_figures(rows, *similarities, queries)
