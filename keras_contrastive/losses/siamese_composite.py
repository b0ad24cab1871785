"""The first source's composite loss of Siamese training, its signs repaired.

    l = -log D(positive) - log(1 - D(negative))
            + max(0, margin + s(negative) - s(positive))    discrimination
        + lambda ||z_1 - z_2||^2                             distance
        + epsilon (gamma KL(q_1 || N(0, I)) + KL(q_2 || N(0, I)))  consistency

No paper has this sum. The source, an article by 禅与计算机程序设计艺术,
calls it SimCLR's loss, which it is not; it writes log D with the sign that
would teach the discriminator to be wrong, and says that the consistency term
is maximized.
"""

import keras
from keras import ops

from keras_contrastive.losses.gaussian_kl import batch_gaussian_kl
from keras_contrastive.losses.pair_discrimination import pair_discrimination
from keras_contrastive.losses.pair_distance import pair_distance
from keras_contrastive.losses.tensors import as_tensor
from keras_contrastive.losses.triplet import check_margin


def siamese_composite(
    embeddings_1,
    embeddings_2,
    positive_scores,
    negative_scores,
    distance_weight=1.0,
    consistency_weight=1.0,
    gamma=1.0,
    margin=1.0,
    *,
    candidates_1=None,
    candidates_2=None,
):
    """The first source's composite: discrimination, distance, consistency.

    The sum of

    - `pair_discrimination` of the scores: cross-entropy of the
      discriminator and a ranking margin (the source's supervised loss);
    - `distance_weight` times `pair_distance`, `||z_1 - z_2||^2` of the
      positive pair (its contrastive loss);
    - `consistency_weight` times `gamma KL(q_1 || N(0, I)) + KL(q_2 || N(0,
      I))` (its consistency loss), where `q_k` is the diagonal Gaussian of
      the whole batch of view k. It belongs to the batch, so that the same
      number is in every row.

    The formula is that source's own and no standard, with its signs
    repaired. The distance alone is least where all embeddings are one point;
    the consistency forbids that, by the logarithm of each variance.

    Args:
        embeddings_1: float tensor `(batch, dim)`, view 1 of positive pairs.
        embeddings_2: float tensor `(batch, dim)`, view 2.
        positive_scores: float tensor `(batch,)`, the discriminator's scores
            of the positive pairs, before the sigmoid; or None, with
            `negative_scores`, to leave the discrimination out.
        negative_scores: float tensor `(batch,)`, of negative pairs.
        distance_weight: float >= 0, the source's lambda.
        consistency_weight: float >= 0, the source's epsilon.
        gamma: float >= 0, how much view 1 weighs in the consistency; view 2
            weighs 1.
        margin: float >= 0 of the ranking, or None for no ranking term.
        candidates_1: float tensor `(all, dim)`, view 1 of the whole batch,
            where these rows are part of a larger one; `embeddings_1` by
            default.
        candidates_2: float tensor `(all, dim)`, view 2 of the whole batch.

    Returns:
        Tensor `(batch,)`, one loss for each positive and negative pair.

    Raises:
        ValueError: for a negative weight or margin, shapes that do not
            agree, or one of two arguments that go together.

    Example:

    >>> zeros, ones = np.zeros((2, 4), "float32"), np.ones((2, 4), "float32")
    >>> rows = siamese_composite(
    ...     zeros, ones, [9.0, 9.0], [-9.0, -9.0], consistency_weight=0.0
    ... )
    >>> [round(float(row), 2) for row in rows]
    [4.0, 4.0]
    """
    check_margin(margin)
    check_not_negative(
        distance_weight=distance_weight,
        consistency_weight=consistency_weight,
        gamma=gamma,
    )
    _check_together("candidates", candidates_1, candidates_2)
    _check_together("scores", positive_scores, negative_scores)
    if candidates_1 is None:
        candidates_1, candidates_2 = embeddings_1, embeddings_2
    distance = pair_distance(embeddings_1, embeddings_2)
    divergence = gamma * batch_gaussian_kl(candidates_1)
    divergence = divergence + batch_gaussian_kl(candidates_2)
    rows = distance_weight * distance + consistency_weight * divergence
    if positive_scores is None:
        return rows
    discrimination = pair_discrimination(
        positive_scores, negative_scores, margin
    )
    _check_rows(rows, discrimination)
    return ops.add(rows, discrimination)


def check_not_negative(**numbers):
    """Refuses a number below zero.

    Args:
        **numbers: what the caller calls each, and its value.

    Raises:
        ValueError: if one is negative or not a number.
    """
    for name, number in numbers.items():
        if number is None or not number >= 0:
            raise ValueError(
                f"`{name}` must be a number of at least zero, received "
                f"{number}; a negative one would reward what the loss is "
                "there to prevent."
            )


def _check_together(what, first, second):
    if (first is None) != (second is None):
        raise ValueError(
            f"The {what} of `siamese_composite` go together, received only "
            "one of two; give both or neither."
        )


def _check_rows(rows, discrimination):
    counts = rows.shape[0], discrimination.shape[0]
    if None not in counts and counts[0] != counts[1]:
        raise ValueError(
            "`positive_scores` and `negative_scores` must be one score for "
            f"each row of `embeddings_1`, received {counts[1]} for "
            f"{counts[0]} rows."
        )


@keras.saving.register_keras_serializable(package="keras_contrastive")
class SiameseComposite(keras.losses.Loss):
    """The first source's composite for Keras: `loss(scores, embeddings)`.

    The Gaussians of the consistency are those of the rows that it is called
    with: on several replicas, of each one's own. (`models.Siamese` gathers.)

    Args:
        distance_weight: float >= 0, the source's lambda.
        consistency_weight: float >= 0, the source's epsilon.
        gamma: float >= 0, how much view 1 weighs in the consistency.
        margin: float >= 0 of the ranking, or None for no ranking term.
        reduction: how rows become a value, as in any Keras loss.
        name: name of the loss.
        dtype: dtype of the computation, float32 by default.

    Call arguments:
        y_true: float tensor `(batch, 2)`, the discriminator's scores, before
            the sigmoid, of a positive pair and of a negative one.
        y_pred: float tensor `(batch, 2, dim)`, the embeddings of the
            positive pairs, view 1 first.

    Raises:
        ValueError: for a negative weight or margin.

    Example:

    >>> loss = SiameseComposite(consistency_weight=0.0, margin=None)
    >>> value = loss(np.zeros((3, 2)), np.ones((3, 2, 8)))
    >>> round(float(value), 4)
    1.3863
    """

    def __init__(
        self,
        distance_weight=1.0,
        consistency_weight=1.0,
        gamma=1.0,
        margin=1.0,
        reduction="sum_over_batch_size",
        name="siamese_composite",
        dtype=None,
    ):
        check_margin(margin)
        check_not_negative(
            distance_weight=distance_weight,
            consistency_weight=consistency_weight,
            gamma=gamma,
        )
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.distance_weight = distance_weight
        self.consistency_weight = consistency_weight
        self.gamma = gamma
        self.margin = margin

    def call(self, y_true, y_pred):
        y_true = as_tensor("y_true", y_true)
        y_pred = as_tensor("y_pred", y_pred)
        return siamese_composite(
            y_pred[:, 0],
            y_pred[:, 1],
            y_true[:, 0],
            y_true[:, 1],
            self.distance_weight,
            self.consistency_weight,
            self.gamma,
            self.margin,
        )

    def get_config(self):
        return {
            **super().get_config(),
            "distance_weight": self.distance_weight,
            "consistency_weight": self.consistency_weight,
            "gamma": self.gamma,
            "margin": self.margin,
        }
