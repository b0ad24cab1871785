import itertools

import numpy as np
import pytest

from keras_contrastive import evaluation
from keras_contrastive.evaluation import geometry


def unit(features):
    return features / np.linalg.norm(features, axis=1, keepdims=True)


def random_features(seed=0, count=70, dim=6):
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(count, dim)) * np.arange(1, dim + 1)
    return features + 1.5


@pytest.mark.parametrize("alpha", [1, 2, 3.5])
def test_alignment_by_its_definition(alpha):
    first, second = random_features(0), random_features(1)
    expected = np.mean(
        [
            np.linalg.norm(a - b) ** alpha
            for a, b in zip(unit(first), unit(second))
        ]
    )
    found = evaluation.alignment(first, second, alpha)
    assert found == pytest.approx(expected, rel=1e-5)
    assert evaluation.alignment(first, 3 * first, alpha) < 1e-6


@pytest.mark.parametrize("t", [0.5, 2])
@pytest.mark.parametrize("chunk", [9, 512])
def test_uniformity_by_its_definition(t, chunk, monkeypatch):
    monkeypatch.setattr(geometry, "CHUNK", chunk)
    features = random_features()
    potentials = [
        np.exp(-t * np.sum((a - b) ** 2))
        for a, b in itertools.combinations(unit(features), 2)
    ]
    found = evaluation.uniformity(features, t)
    assert found == pytest.approx(np.log(np.mean(potentials)), rel=1e-5)


def test_uniformity_of_the_extremes():
    assert evaluation.uniformity(np.ones((9, 4))) == pytest.approx(0, abs=1e-6)
    poles = np.array([[1.0, 0.0], [-1.0, 0.0]])
    assert evaluation.uniformity(poles) == pytest.approx(-8)
    sphere = np.random.default_rng(0).normal(size=(2000, 512))
    assert evaluation.uniformity(sphere) == pytest.approx(-4, abs=0.02)


def test_uniformity_of_nearly_equal_rows_is_precise():
    features = np.ones((50, 8)) + 1e-4 * random_features(2, 50, 8)
    distances = [
        np.sum((a - b) ** 2)
        for a, b in itertools.combinations(unit(features), 2)
    ]
    found = evaluation.uniformity(features)
    assert found == pytest.approx(-2 * np.mean(distances), rel=1e-2)


def test_uniformity_of_many_rows_is_sampled():
    features = random_features(count=3000)
    whole = evaluation.uniformity(features)
    sample = evaluation.uniformity(features, max_features=500)
    assert sample != whole
    assert sample == pytest.approx(whole, abs=0.1)


@pytest.mark.parametrize("shape", [(70, 6), (5, 30), (1300, 4)])
def test_effective_rank_by_its_definition(shape):
    features = random_features(3, *shape)
    singular = np.linalg.svd(features, compute_uv=False)
    shares = singular / singular.sum()
    expected = np.exp(-np.sum(shares * np.log(shares)))
    found = evaluation.effective_rank(features)
    assert found == pytest.approx(expected, rel=1e-4)


def test_effective_rank_of_the_extremes():
    orthogonal = np.linalg.qr(np.random.default_rng(0).normal(size=(9, 9)))[0]
    assert evaluation.effective_rank(7 * orthogonal) == pytest.approx(9)
    line = np.outer(np.arange(1, 60), [1.0, 2.0, -3.0])
    assert evaluation.effective_rank(line) == pytest.approx(1, abs=1e-4)
    assert evaluation.effective_rank(np.zeros((4, 3))) == 0
    assert evaluation.effective_rank(np.full((4, 3), 1e-30)) == pytest.approx(1)


def test_spread_by_its_definition():
    features = random_features()
    expected = unit(features).std(axis=0).mean()
    assert evaluation.spread(features) == pytest.approx(expected, rel=1e-5)
    isotropic = np.random.default_rng(0).normal(size=(5000, 64))
    assert evaluation.spread(isotropic) == pytest.approx(1 / 8, rel=0.01)


@pytest.mark.parametrize("dim", [16, 2048])
def test_collapse_is_relative_to_the_number_of_columns(dim):
    noise = unit(np.random.default_rng(1).normal(size=(300, dim)))
    base = np.zeros(dim)
    base[0] = 1
    assert not evaluation.collapsed(noise)
    # So much of the length as noise is so much of the spread.
    assert evaluation.collapsed(base + 0.028 * noise)
    assert not evaluation.collapsed(base + 0.034 * noise)


@pytest.mark.parametrize("value", [0, 3])
def test_constant_features_have_collapsed(value):
    features = np.full((20, 5), value, "float16")
    assert evaluation.collapsed(features) is True
    assert evaluation.spread(features) == 0


@pytest.mark.parametrize(
    "name", ["uniformity", "effective_rank", "spread", "collapsed"]
)
def test_features_that_are_not_finite_are_refused(name):
    features = random_features()
    features[[1, 4], 2] = np.nan
    with pytest.raises(ValueError, match="2 of 70 rows"):
        getattr(evaluation, name)(features)


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="received 1 and 10000"):
        evaluation.uniformity(np.ones((1, 3)))
    with pytest.raises(ValueError, match="`t` .* received 0"):
        evaluation.uniformity(np.ones((2, 3)), t=0)
    with pytest.raises(ValueError, match="`alpha` .* received -1"):
        evaluation.alignment(np.ones((2, 3)), np.ones((2, 3)), -1)
    with pytest.raises(ValueError, match="\\(4, 3\\) and \\(2, 3\\)"):
        evaluation.alignment(np.ones((2, 3)), np.ones((4, 3)))
