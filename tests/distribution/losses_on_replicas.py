"""Every loss of a global batch, and its gradient, on any number of replicas.

A replica has a share of the rows and compares them with those of all. What
all replicas' rows come to, and what flows back to each row, must not depend
on how many there are.
"""

import numpy as np
from keras import ops

from keras_contrastive import losses
from keras_contrastive.distribution import replicas

COUNT = 8
GENERATOR = np.random.default_rng(0)
VIEWS = GENERATOR.normal(size=(2, COUNT, 6)).astype("float32")
SCORES = GENERATOR.normal(size=(2, COUNT)).astype("float32")
QUEUE = GENERATOR.normal(size=(10, 6)).astype("float32")
LABELS = np.array([0, 1, 2, 0, 1, 1, 3, 0], "int32")
SAME = np.array([1, 0, 0, 1, 1, 0, 1, 0], "int32")


class Share:
    """What a replica has of the batch, and how it sees the rest."""

    def __init__(self, view_1, view_2, scores_1, scores_2, positions):
        self.views = view_1, view_2
        self.scores = scores_1, scores_2
        self.positions = positions
        self.labels = ops.take(LABELS, positions, axis=0)
        self.same = ops.take(SAME, positions, axis=0)

    def both(self):
        """The views of all replicas, and where these rows stand."""
        one, two = map(replicas.all_gather, self.views)
        return {
            "candidates_1": one,
            "candidates_2": two,
            "positions": self.positions,
        }

    def among(self, rows):
        """One view of all replicas, and where these rows stand."""
        return {
            "candidates": replicas.all_gather(rows),
            "positions": self.positions,
        }

    def labelled(self):
        """One view of all replicas with its labels."""
        return {
            "candidate_labels": replicas.all_gather(self.labels),
            "with_weights": True,
            **self.among(self.views[0]),
        }


def mined(mining, margin=0.2, distance="euclidean"):
    """The triplet loss by a rule of mining."""
    return lambda share: losses.triplet(
        share.labels,
        share.views[0],
        margin,
        distance,
        mining,
        **share.labelled(),
    )


def composite(share):
    """The first source's loss, whose consistency is of the whole batch."""
    both = share.both()
    del both["positions"]
    return losses.siamese_composite(*share.views, *share.scores, **both)


# Each takes a Share, and returns rows, or rows and weights.
LOSSES = {
    "nt_xent": lambda s: losses.nt_xent(*s.views, 0.3, **s.both()),
    "nt_xent_in_chunks": lambda s: losses.nt_xent(
        *s.views, 0.3, chunk_size=3, **s.both()
    ),
    "decoupled": lambda s: losses.decoupled_contrastive(
        *s.views, 0.3, **s.both()
    ),
    "decoupled_weighted": lambda s: losses.decoupled_contrastive(
        *s.views, 0.3, 0.5, **s.both()
    ),
    "info_nce": lambda s: losses.info_nce(
        *s.views, temperature=0.3, **s.among(s.views[1])
    ),
    "info_nce_queue": lambda s: losses.info_nce(*s.views, QUEUE, 0.3),
    "bilinear": lambda s: losses.bilinear_info_nce(
        *s.views, **s.among(s.views[1])
    ),
    "supervised": lambda s: losses.supervised_contrastive(
        s.labels, s.views[0], 0.3, **s.labelled()
    ),
    "triplet_all": mined("all"),
    "triplet_nonzero": mined("nonzero", distance="squared"),
    "triplet_semi_hard": mined("semi_hard"),
    "triplet_hard": mined("hard", None),
    "triplet_easy": mined("easy_positive", distance="cosine"),
    "given_triplet": lambda s: losses.given_triplet(
        *s.views, s.views[1] ** 2, 5.0
    ),
    "margin": lambda s: losses.margin_contrastive(s.same, *s.views, 4.0),
    "pair_distance": lambda s: losses.pair_distance(*s.views),
    "discrimination": lambda s: losses.pair_discrimination(*s.scores),
    "composite": composite,
    "gaussian": lambda s: losses.gaussian_kl(s.views[0], s.views[1] ** 2 + 1),
    "batch_gaussian": lambda s: (
        losses.batch_gaussian_kl(replicas.all_gather(s.views[0]))
        + 0.0 * s.scores[0]
    ),
    "consistency": lambda s: losses.similarity_consistency(
        *s.views, temperature=0.5, **s.among(s.views[1])
    ),
    "alignment": lambda s: losses.alignment(*s.views),
    "uniformity": lambda s: losses.uniformity(
        s.views[0], candidates=replicas.all_gather(s.views[0])
    ),
}


def values_and_gradients(strategy):
    """By the name of a loss: its value, and the gradient of each input."""
    import tensorflow as tf

    count = COUNT // strategy.num_replicas_in_sync
    inputs = [tf.constant(each) for each in (*VIEWS, *SCORES)]

    def step(loss):
        positions = replicas.index() * count + tf.range(count)
        own = [tf.gather(each, positions) for each in inputs]
        with tf.GradientTape() as tape:
            tape.watch(own)
            rows = loss(Share(*own, positions))
            rows, weights = rows if isinstance(rows, tuple) else (rows, None)
            weights = tf.ones_like(rows) if weights is None else weights
            value = tf.reduce_sum(rows * weights)
            value = value / replicas.all_sum(tf.reduce_sum(weights))
        gradients = tape.gradient(value, own, unconnected_gradients="zero")
        # In the order of the rows, wherever they were.
        gathered = [replicas.all_gather(each) for each in gradients]
        return replicas.all_sum(value), *gathered

    found = {}
    for name, loss in LOSSES.items():
        run = tf.function(
            lambda loss=loss: strategy.run(step, args=(loss,)), autograph=False
        )
        found[name] = [
            strategy.experimental_local_results(each)[0].numpy()
            for each in run()
        ]
    return found
