"""Views of a batch as labelled rows, of this replica and of all."""

from keras import ops


def labelled_views(model, views, batch, labels=None):
    """Lays views out as rows with labels, beside those of all replicas.

    Args:
        model: the ContrastiveModel, for its name.
        views: list of float tensors `(N, dim)`, one a view.
        batch: dict with `positions` `(N,)` and `labels` `(N,)`.
        labels: int tensor `(N,)`, what the rows are labelled by; the batch's
            labels by default.

    Returns:
        Labels `(V * N,)`; embeddings `(V * N, dim)`; and a dict of
        `candidates` `(V * all, dim)`, `candidate_labels` `(V * all,)` and
        `positions` `(V * N,)`, as the losses take them.

    Raises:
        ValueError: if the batch has no labels.
    """
    if labels is None:
        labels = labels_of(model, batch)
    count = len(views)
    candidates = [model.gathered(view) for view in views]
    candidate_labels = model.gathered(labels)
    size = ops.shape(candidates[0])[0]
    positions = model.places(batch)
    return (
        ops.tile(labels, (count,)),
        ops.concatenate(views),
        {
            "candidates": ops.concatenate(candidates),
            "candidate_labels": ops.tile(candidate_labels, (count,)),
            "positions": ops.concatenate(
                [positions + view * size for view in range(count)]
            ),
        },
    )


def labels_of(model, batch):
    """The labels of a batch, int32 `(N,)`, or a sentence that asks for them.

    Args:
        model: the ContrastiveModel, for its name.
        batch: dict.

    Returns:
        int32 tensor.

    Raises:
        ValueError: if the batch has no labels.
    """
    if batch.get("labels") is None:
        raise ValueError(
            f"{type(model).__name__} learns from labels, received images "
            "alone; pass them as `y` of `fit`, or as `labels` of "
            "`data.batches`."
        )
    return ops.reshape(ops.cast(batch["labels"], "int32"), (-1,))
