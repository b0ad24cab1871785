"""Evaluation at CIFAR-10's size, ours against scikit-learn.

    python -m benchmarks.evaluation

kNN with a bank of all training features; the linear probe for each of its
penalties, chosen on a tenth of the training features; and k-means with 5
seeds of 20 initializations. Both sides do the same work to the same
accuracy, which is printed beside the seconds.
"""

import numpy as np
from absl import app
from absl import flags

from benchmarks import measure
from keras_contrastive import evaluation
from keras_contrastive.evaluation import linear_probe

FLAGS = flags.FLAGS
flags.DEFINE_integer("train", 50_000, "Training features.", lower_bound=100)
flags.DEFINE_integer("test", 10_000, "Test features.", lower_bound=10)
flags.DEFINE_integer("dim", 128, "Columns of the features.", lower_bound=1)
flags.DEFINE_integer("classes", 10, "Classes.", lower_bound=2)
flags.DEFINE_integer("runs", 5, "Rounds that count.", lower_bound=1)
flags.DEFINE_integer("warmups", 1, "Rounds before them.", lower_bound=0)
flags.DEFINE_multi_enum(
    "part",
    ["knn", "probe", "k_means"],
    ["knn", "probe", "k_means"],
    "What to time; may be given several times.",
)


def features_and_labels(count, dim, classes, seed):
    """Features as networks give: classes that overlap, columns that correlate.

    Args:
        count: int.
        dim: int.
        classes: int.
        seed: int; the distribution is the same for all.

    Returns:
        float32 array `(count, dim)`, not negative, and int array `(count,)`.
    """
    shared = np.random.default_rng(0)
    mixing = shared.normal(size=(dim, dim)) * np.arange(1, dim + 1) ** -1.0
    means = 0.35 * shared.normal(size=(classes, dim))
    generator = np.random.default_rng(seed)
    labels = generator.integers(classes, size=count)
    latent = means[labels] + generator.normal(size=(count, dim))
    return np.maximum(latent @ mixing.T + 1, 0).astype("float32"), labels


def main(_):
    """Prints the tables."""
    shape = FLAGS.dim, FLAGS.classes
    train = features_and_labels(FLAGS.train, *shape, seed=1)
    test = features_and_labels(FLAGS.test, *shape, seed=2)
    print(measure.machine("numpy", "scikit-learn", "scipy"))
    print(f"{FLAGS.train} x {FLAGS.dim} training, {FLAGS.test} test features")
    parts = {"knn": knn, "probe": probe, "k_means": k_means}
    for name in FLAGS.part:
        print(f"\n{name}", flush=True)
        _compare(parts[name](train, test))


def _compare(candidates):
    """Times candidates, and prints what they found."""
    results = {}

    def recording(name, run):
        def record():
            results[name] = run()

        return record

    seconds = measure.alternate(
        {name: recording(name, run) for name, run in candidates.items()},
        FLAGS.runs,
        FLAGS.warmups,
    )
    print(measure.table(seconds, FLAGS.test, "test features"))
    for name, result in results.items():
        print(f"{name}: {result}")


def knn(train, test):
    """Accuracy of weighted kNN."""
    from sklearn.neighbors import KNeighborsClassifier

    def theirs():
        model = KNeighborsClassifier(
            min(200, len(train[0])),
            weights=lambda distances: np.exp((1 - distances) / 0.1),
            algorithm="brute",
            metric="cosine",
        )
        return f"accuracy {model.fit(*train).score(*test):.4f}"

    return {
        "ours": lambda: (
            f"accuracy {evaluation.knn_accuracy(*train, *test):.4f}"
        ),
        "scikit-learn": theirs,
    }


def probe(train, test):
    """Accuracy of the linear probe, its penalty chosen on a tenth."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    cut = len(train[0]) * 9 // 10
    fitted, held_out = [
        [each[rows] for each in train]
        for rows in (slice(cut), slice(cut, None))
    ]

    def ours():
        accuracy = evaluation.linear_probe_accuracy(*fitted, *test, *held_out)
        return f"accuracy {accuracy:.4f}"

    def theirs():
        scaler = StandardScaler().fit(fitted[0])
        scaled = [scaler.transform(x[0]) for x in (fitted, held_out, test)]
        model = LogisticRegression(max_iter=2000, warm_start=True)
        scores = []
        for strength in linear_probe.STRENGTHS:
            model.set_params(C=1 / strength / cut)
            model.fit(scaled[0], fitted[1])
            scores.append(
                (
                    model.score(scaled[1], held_out[1]),
                    model.score(scaled[2], test[1]),
                )
            )
        best = max(scores, key=lambda pair: pair[0])
        return f"accuracy {best[1]:.4f}"

    return {"ours": ours, "scikit-learn": theirs}


def k_means(train, test):
    """Inertia of k-means on normalized test features, mean over the seeds."""
    from sklearn.cluster import KMeans
    from sklearn.preprocessing import normalize

    points = normalize(test[0])

    def inertia(clusters):
        members = [points[clusters == each] for each in np.unique(clusters)]
        return sum(
            np.square(each - each.mean(axis=0)).sum() for each in members
        )

    def ours():
        runs = evaluation.kmeans_clustering(test[0], FLAGS.classes)
        return f"inertia {np.mean([inertia(run) for run in runs]):.3f}"

    def theirs():
        runs = [
            KMeans(FLAGS.classes, n_init=20, random_state=seed).fit(points)
            for seed in range(5)
        ]
        return f"inertia {np.mean([run.inertia_ for run in runs]):.3f}"

    return {"ours": ours, "scikit-learn": theirs}


if __name__ == "__main__":
    app.run(main)
