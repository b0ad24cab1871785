"""Supervised contrastive loss: every image of the class is a positive.

    loss_i = -mean over p in P(i) of
             log( exp(s_ip / T) / sum over a != i of exp(s_ia / T) )

P(i) are the other embeddings of i's class. The mean stands outside of the
logarithm: the paper's L_out, which it found the better one.

Reference: Khosla et al. 2020, eq. 2, https://arxiv.org/abs/2004.11362
"""

import keras
from keras import ops

from keras_contrastive.losses.cosine import cosine_similarities
from keras_contrastive.losses.label_pairs import label_pairs
from keras_contrastive.losses.positions import positions_or_all
from keras_contrastive.losses.row_loss import RowLoss
from keras_contrastive.losses.temperature import check_temperature
from keras_contrastive.losses.tensors import as_tensor
from keras_contrastive.losses.view_similarities import without


def supervised_contrastive(
    labels,
    embeddings,
    temperature=0.1,
    *,
    candidate_labels=None,
    candidates=None,
    positions=None,
    with_weights=False,
):
    """Supervised contrastive loss: find all of your class among the others.

    `loss_i = -mean_{p in P(i)} log(exp(s_ip / T) / sum_{a != i} exp(s_ia /
    T))`, with `s` the cosine similarity and `P(i)` the other embeddings of
    i's class. An anchor without positives has no say: its row is 0 and so is
    its weight. Where each label stands for one image and its two views, this
    is NT-Xent. (The authors' code multiplies by T / 0.07; this does not.)

    Args:
        labels: int tensor `(batch,)`, the class of each embedding.
        embeddings: float tensor `(batch, dim)`, any norm; several views of
            an image are rows of one label.
        temperature: float > 0; 0.1 in the paper.
        candidate_labels: int tensor `(all,)`, the labels of the whole batch,
            where these rows are part of a larger one; `labels` by default.
        candidates: float tensor `(all, dim)`, the embeddings of the whole
            batch; `embeddings` by default.
        positions: int tensor `(batch,)`, where these rows stand among the
            candidates; `0 .. batch - 1` by default.
        with_weights: bool, whether to return the weights of the rows too.

    Returns:
        Tensor `(batch,)`, one loss a row; and, if asked for, weights
        `(batch,)`: 1 where an anchor has positives, else 0.

    Raises:
        ValueError: if the temperature is not positive, or labels and
            embeddings do not agree in number.

    Example:

    >>> embeddings = np.random.normal(size=(4, 16)).astype("float32")
    >>> rows = supervised_contrastive([0, 0, 1, 2], embeddings)
    >>> [round(float(row), 1) for row in rows[2:]]
    [0.0, 0.0]

    Reference:
        Khosla et al. 2020, https://arxiv.org/abs/2004.11362
    """
    check_temperature(temperature)
    labels = as_tensor("labels", labels)
    embeddings = as_tensor("embeddings", embeddings)
    positions = positions_or_all(labels, positions)
    candidates, is_positive, _ = label_pairs(
        labels, embeddings, candidate_labels, candidates, positions
    )
    logits = (
        without(cosine_similarities(embeddings, candidates), positions)
        / temperature
    )
    # Zero times the masked logit of an anchor with itself is zero, finite.
    weights = ops.cast(is_positive, logits.dtype)
    count = ops.sum(weights, axis=1)
    mean_positive = ops.sum(logits * weights, axis=1) / ops.maximum(count, 1)
    has_say = count > 0
    rows = ops.logsumexp(logits, axis=1) - mean_positive
    rows = ops.where(has_say, rows, ops.zeros_like(rows))
    if not with_weights:
        return rows
    return rows, ops.cast(has_say, rows.dtype)


@keras.saving.register_keras_serializable(package="keras_contrastive")
class SupervisedContrastive(RowLoss):
    """The supervised contrastive loss for Keras: `loss(labels, embeddings)`.

    Its value for a batch is the mean over the anchors that have positives.

    Args:
        temperature: float > 0; 0.1 in the paper.
        reduction: how rows become a value, as in any Keras loss.
        name: name of the loss.
        dtype: dtype of the computation, float32 by default.

    Raises:
        ValueError: if the temperature is not positive.

    Example:

    >>> loss = SupervisedContrastive(temperature=0.5)
    >>> embeddings = np.repeat(np.eye(4, dtype="float32"), 2, axis=0)
    >>> labels = np.repeat(np.arange(4), 2)
    >>> round(float(loss(labels, embeddings)), 4)
    0.5944

    Reference:
        Khosla et al. 2020, https://arxiv.org/abs/2004.11362
    """

    def __init__(
        self,
        temperature=0.1,
        reduction="sum_over_batch_size",
        name="supervised_contrastive",
        dtype=None,
    ):
        check_temperature(temperature)
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.temperature = temperature

    def rows(self, labels, embeddings):
        return supervised_contrastive(
            labels, embeddings, self.temperature, with_weights=True
        )

    def get_config(self):
        return {**super().get_config(), "temperature": self.temperature}
