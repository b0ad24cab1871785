"""Each anchor's log-sum-exp over all others, with or without their matrix.

    l_i = log( sum over j != i of exp(a_i . c_j) )

In chunks of rows the matrix of all a_i . c_j is never there: a loop holds the
rows of one chunk, keeps l, and calculates the rows again for the gradient,

    w_ij = exp(a_i . c_j - l_i),
    dl_i / da_i = sum over j != i of w_ij c_j,    dl_i / dc_j = w_ij a_i.

Attention without its matrix does the same.

Reference: Dao et al. 2022, section 3.1, https://arxiv.org/abs/2205.14135
"""

from keras import ops

from keras_contrastive.losses.row_chunks import fold_chunks
from keras_contrastive.losses.view_similarities import without

# Below any similarity at any temperature, yet finite: infinity would turn
# into NaN in a row without others.
_LEAST = -1e30


def log_sum_exp_of_others(
    anchors, candidates, itself, partners=None, chunk_size=None
):
    """Each anchor's log-sum-exp of its dot products with all but itself.

    Args:
        anchors: float tensor `(rows, dim)`, float32 or better.
        candidates: tensor `(columns, dim)` of the same dtype.
        itself: int32 tensor `(rows,)`, which candidate an anchor is.
        partners: int32 tensor `(rows,)`, which candidate an anchor must
            find; None where there is none.
        chunk_size: int, how many rows of the matrix of dot products there
            are at a time, forward and backward; None for all of them. The
            values and the gradient are the same. (The gradient in chunks has
            no gradient of its own.)

    Returns:
        `log_sum_exp` `(rows,)`; and `ranks` `(rows,)`, floats without
        gradient, how many of the others have a larger dot product with the
        anchor than its partner has; None without partners.
    """
    if chunk_size is None:
        products = _others(anchors, ops.transpose(candidates), itself)
        summaries = _summaries(products, partners)
    else:
        summaries = _summaries_in_chunks(
            anchors, candidates, itself, partners, chunk_size
        )
    ranks = None if partners is None else ops.stop_gradient(summaries[:, 1])
    return summaries[:, 0], ranks


def _others(anchors, columns, itself):
    """Dot products `(rows, columns)`, those of the anchors themselves out."""
    return without(ops.matmul(anchors, columns), itself, _LEAST)


def _summaries(products, partners):
    """What is to be known of each row: `(rows, 1)`, with partners `(.., 2)`."""
    log_sum_exp = ops.logsumexp(products, axis=1, keepdims=True)
    if partners is None:
        return log_sum_exp
    theirs = ops.take_along_axis(products, partners[:, None], axis=1)
    is_nearer = ops.cast(products > theirs, products.dtype)
    ranks = ops.sum(is_nearer, axis=1, keepdims=True)
    return ops.concatenate([log_sum_exp, ranks], axis=1)


def _summaries_in_chunks(anchors, candidates, itself, partners, chunk_size):
    """The same without the matrix, and its gradient as well."""

    @ops.custom_gradient
    def summaries_of(anchors, candidates):
        # An eager tape would keep every chunk that it sees the making of.
        anchors = ops.stop_gradient(anchors)
        candidates = ops.stop_gradient(candidates)
        columns = ops.transpose(candidates)
        count = ops.shape(anchors)[0]

        def summarize(chunk, summaries):
            own = None if partners is None else chunk.of(partners)
            products = _others(chunk.of(anchors), columns, chunk.of(itself))
            return (chunk.put(summaries, _summaries(products, own)),)

        number = 1 if partners is None else 2
        empty = ops.zeros((count, number), dtype=anchors.dtype)
        (summaries,) = fold_chunks(summarize, (empty,), count, chunk_size)

        def gradient(*upstreams, upstream=None):
            # PyTorch names what the other backends give by position.
            (upstream,) = upstreams if upstream is None else (upstream,)

            def add(chunk, d_anchors, d_candidates):
                rows, slopes = chunk.of(anchors), chunk.of(upstream)[:, :1]
                weights = ops.matmul(rows, columns)
                weights = ops.exp(weights - chunk.of(summaries)[:, :1])
                weights = without(weights, chunk.of(itself), 0.0)
                mine = slopes * ops.matmul(weights, candidates)
                theirs = ops.matmul(
                    ops.transpose(weights), chunk.once(slopes * rows)
                )
                return chunk.put(d_anchors, mine), d_candidates + theirs

            zeros = ops.zeros_like(anchors), ops.zeros_like(candidates)
            return fold_chunks(add, zeros, count, chunk_size)

        return summaries, gradient

    return summaries_of(anchors, candidates)
