import numpy as np
import pytest
from sklearn import cluster
from sklearn import metrics
from threadpoolctl import threadpool_limits

from keras_contrastive import evaluation
from keras_contrastive.evaluation import k_means
from keras_contrastive.evaluation.features import normalized


def inertia(points, clusters):
    return sum(
        np.square(points[clusters == c] - points[clusters == c].mean(0)).sum()
        for c in np.unique(clusters)
    )


def test_separated_clusters_are_found():
    generator = np.random.default_rng(0)
    labels = np.repeat(np.arange(6), [5, 300, 40, 40, 10, 90])
    centers = generator.normal(size=(6, 12))
    features = centers[labels] + 0.02 * generator.normal(size=(485, 12))
    # Lengths must not matter.
    features *= generator.uniform(0.1, 10, size=(485, 1))
    runs = evaluation.kmeans_clustering(features, 6)
    assert runs.shape == (5, 485) and runs.dtype == np.int32
    for run in runs:
        assert evaluation.clustering_accuracy(labels, run) == 1


def test_lloyd_arrives_where_scikit_learn_does():
    generator = np.random.default_rng(1)
    points = generator.normal(size=(k_means.CHUNK + 777, 9)).astype("float32")
    points *= generator.uniform(0.2, 2, size=9).astype("float32")
    points -= points.mean(axis=0)
    starts = np.stack(
        [points[generator.choice(len(points), 5)] for _ in range(4)]
    )
    found = k_means._lloyd(points, starts)
    for start, centers in zip(starts, found):
        with threadpool_limits(1):
            reference = cluster.KMeans(5, init=start, n_init=1).fit(points)
        np.testing.assert_allclose(
            centers, reference.cluster_centers_, atol=1e-4
        )


def test_inertia_is_as_low_as_scikit_learns():
    features = np.random.default_rng(2).normal(size=(1500, 20))
    points = normalized(features.astype("float32"))
    ours = [
        inertia(points, run)
        for run in evaluation.kmeans_clustering(features, 10)
    ]
    with threadpool_limits(1):
        theirs = cluster.KMeans(10, n_init=20, random_state=0).fit(points)
    assert np.mean(ours) < 1.002 * theirs.inertia_


def test_the_lowest_inertia_of_all_initializations_is_kept():
    generator = np.random.default_rng(3)
    points = generator.normal(size=(400, 6)).astype("float32")
    best = k_means._lowest_inertia(points, 8, 10, np.random.default_rng(0))
    centers = k_means._plus_plus(points, 8, 10, np.random.default_rng(0))
    each = []
    for final in k_means._lloyd(points, centers):
        distances = np.square(points[:, None] - final).sum(axis=2)
        each.append((distances.min(axis=1).sum(), distances.argmin(axis=1)))
    assert len({round(value, 3) for value, _ in each}) > 3
    value, clusters = min(each, key=lambda pair: pair[0])
    np.testing.assert_array_equal(best, clusters)


def test_plus_plus_starts_better_than_random_points():
    generator = np.random.default_rng(4)
    points = generator.normal(size=(10, 3))[generator.integers(10, size=500)]
    points = points.astype("float32")
    starts = k_means._plus_plus(points, 10, 6, generator)
    for centers in starts:
        assert len(np.unique(centers, axis=0)) == 10


def test_plus_plus_draws_in_proportion_to_the_squared_distance():
    # Two candidates at distances 1 and 2 from where most points are: drawn
    # 1 to 4, and greedily the better of two draws.
    points = np.zeros((1000, 2), "float32")
    points[-1], points[-2] = [1, 0], [0, 2]
    starts = k_means._plus_plus(points, 2, 2000, np.random.default_rng(0))
    from_origin = starts[(starts[:, 0] == 0).all(axis=1)]
    share = np.mean(from_origin[:, 1, 0] == 1)
    assert share == pytest.approx(0.2**2, abs=0.02)


def test_empty_clusters_take_the_points_that_fit_worst():
    points = np.array([[0.0, 0], [0, 1], [0, 2], [9, 0], [7, 0]], "float32")
    # Nobody is nearest to the last two centers.
    starts = np.array([[[1, 1], [50, 50], [60, 60]]], "float32")
    centers = k_means._lloyd(points, starts)[0]
    assert sorted(map(tuple, centers.round(4).tolist())) == [
        (0, 1), (7, 0), (9, 0)
    ]  # fmt: skip


def test_of_equally_near_centers_the_first_counts():
    points = np.array([[0.0, 0], [2, 0], [1, 5]], "float32")
    centers = np.array([[[2, 0], [0, 0], [2, 0], [0, 0]]], "float32")
    ((_, nearest, lowest),) = k_means._nearest(points, centers)
    assert nearest.tolist() == [[1, 0, 0]]
    squares = np.square(points).sum(axis=1)
    np.testing.assert_allclose(lowest[0] + squares, [0, 0, 26])


def test_seeds_repeat_and_differ():
    features = np.random.default_rng(5).normal(size=(300, 8))
    runs = evaluation.kmeans_clustering(features, 7, seeds=3, n_init=1, seed=1)
    again = evaluation.kmeans_clustering(features, 7, seeds=3, n_init=1, seed=1)
    np.testing.assert_array_equal(runs, again)
    other = evaluation.kmeans_clustering(features, 7, seeds=3, n_init=1, seed=2)
    agreement = [
        metrics.adjusted_rand_score(a, b)
        for a, b in [(runs[0], runs[1]), (runs[0], other[0])]
    ]
    assert max(agreement) < 0.99


def test_nearly_collapsed_features_are_still_told_apart():
    # Differences of 1e-4 on unit length: lost in |a|^2 - 2ab + |b|^2 unless
    # the mean is taken off first.
    labels = np.arange(200) % 4
    offsets = np.eye(4, 16)[labels] * 1e-4
    features = np.ones((200, 16)) + offsets
    run = evaluation.kmeans_clustering(features, 4, seeds=1)[0]
    assert evaluation.clustering_accuracy(labels, run) == 1


def test_constant_features_are_one_cluster():
    runs = evaluation.kmeans_clustering(np.ones((50, 4)), 3)
    for run in runs:
        assert len(np.unique(run)) == 1


def test_as_many_clusters_as_rows_and_one():
    features = np.random.default_rng(6).normal(size=(6, 3))
    runs = evaluation.kmeans_clustering(features, 6)
    assert all(len(np.unique(run)) == 6 for run in runs)
    assert not evaluation.kmeans_clustering(features, 1).any()


def test_more_clusters_than_a_byte_counts():
    features = np.random.default_rng(7).normal(size=(600, 2))
    run = evaluation.kmeans_clustering(features, 300, seeds=1, n_init=2)[0]
    assert run.max() > 256 and len(np.unique(run)) > 290


@pytest.mark.parametrize("count", [0, 11])
def test_counts_out_of_range_are_refused(count):
    with pytest.raises(ValueError, match=f"`num_clusters`.*received {count}"):
        evaluation.kmeans_clustering(np.ones((10, 2)), count)


@pytest.mark.parametrize("name", ["seeds", "n_init"])
def test_no_runs_are_refused(name):
    with pytest.raises(ValueError, match=f"`{name}`.*received 0"):
        evaluation.kmeans_clustering(np.ones((10, 2)), 2, **{name: 0})
