"""Which embeddings a label makes positives of an anchor, which negatives."""

from keras import ops

from keras_contrastive.losses.positions import positions_or_all
from keras_contrastive.losses.tensors import as_tensor


def label_pairs(labels, embeddings, candidate_labels, candidates, positions):
    """Compares anchors' labels with candidates'.

    Args:
        labels: int tensor `(batch,)`, the anchors' classes.
        embeddings: float tensor `(batch, dim)`, the anchors.
        candidate_labels: int tensor `(all,)`, or None for `labels`.
        candidates: float tensor `(all, dim)`, or None for `embeddings`.
        positions: int tensor `(batch,)`, where the anchors stand among the
            candidates, or None for `0 .. batch - 1`.

    Returns:
        `candidates` `(all, dim)`; `is_positive` bool `(batch, all)`, of the
        anchor's class but not itself; `is_negative` bool `(batch, all)`.

    Raises:
        ValueError: if labels and embeddings do not agree in number.
    """
    if (candidates is None) != (candidate_labels is None):
        raise ValueError(
            "`candidates` and `candidate_labels` go together, received only "
            "one of them."
        )
    if candidates is None:
        candidates, candidate_labels = embeddings, labels
    candidates = as_tensor("candidates", candidates)
    labels = _checked("labels", labels, "embeddings", embeddings)
    candidate_labels = _checked(
        "candidate_labels", candidate_labels, "candidates", candidates
    )
    positions = positions_or_all(labels, positions)
    places = ops.arange(ops.shape(candidate_labels)[0], dtype="int32")
    same_class = labels[:, None] == candidate_labels[None]
    is_myself = positions[:, None] == places[None]
    is_positive = ops.logical_and(same_class, ops.logical_not(is_myself))
    return candidates, is_positive, ops.logical_not(same_class)


def _checked(name, labels, other_name, embeddings):
    labels = as_tensor(name, labels)
    shapes = tuple(labels.shape), tuple(embeddings.shape)
    if len(shapes[0]) == 2 and shapes[0][1] == 1:
        # Keras hands labels on as a column.
        labels, shapes = labels[:, 0], (shapes[0][:1], shapes[1])
    if len(shapes[0]) != 1 or len(shapes[1]) != 2 or _differ(*shapes):
        raise ValueError(
            f"`{name}` must be one label for each row of `{other_name}` "
            f"(batch, dim), received the shapes {shapes[0]} and {shapes[1]}."
        )
    return ops.cast(labels, "int32")


def _differ(labels, embeddings):
    return None not in (labels[0], embeddings[0]) and (
        labels[0] != embeddings[0]
    )
