"""Losses take lists of numbers as they take arrays, and no text."""

import numpy as np
import pytest
from keras import ops

from keras_contrastive import losses
from keras_contrastive.losses.tensors import as_tensor
from tests.losses.checks import random_embeddings

LABELS = np.array([0, 0, 1, 1])
SAME = np.array([1.0, 0.0, 1.0, 0.0], "float32")
FIRST, SECOND, THIRD = (random_embeddings(4, 5, seed) for seed in range(3))
VARIANCES = np.exp(SECOND)
PAIRS = np.stack([FIRST, SECOND], axis=1)
SCORES = FIRST[:, 0], SECOND[:, 0]

FUNCTIONS = {
    "alignment": (FIRST, SECOND),
    "batch_gaussian_kl": (FIRST,),
    "bilinear_info_nce": (FIRST, SECOND),
    "decoupled_contrastive": (FIRST, SECOND),
    "gaussian_kl": (FIRST, VARIANCES),
    "given_triplet": (FIRST, SECOND, THIRD),
    "info_nce": (FIRST, SECOND, THIRD),
    "margin_contrastive": (SAME, FIRST, SECOND),
    "nt_xent": (FIRST, SECOND),
    "pair_discrimination": SCORES,
    "pair_distance": (FIRST, SECOND),
    "siamese_composite": (FIRST, SECOND, *SCORES),
    "similarity_consistency": (FIRST, SECOND, THIRD),
    "supervised_contrastive": (LABELS, FIRST),
    "triplet": (LABELS, FIRST),
    "uniformity": (FIRST,),
}
CLASSES = {
    "Alignment": (FIRST, SECOND),
    "BilinearInfoNCE": (FIRST, SECOND),
    "DecoupledContrastive": (FIRST, SECOND),
    "GaussianKL": (VARIANCES, FIRST),
    "GivenTriplet": (SAME, np.stack([FIRST, SECOND, THIRD], axis=1)),
    "InfoNCE": (FIRST, SECOND),
    "MarginContrastive": (SAME, PAIRS),
    "NTXent": (FIRST, SECOND),
    "PairDiscrimination": SCORES,
    "PairDistance": (FIRST, SECOND),
    "SiameseComposite": (np.stack(SCORES, axis=1), PAIRS),
    "SimilarityConsistency": (FIRST, SECOND),
    "SupervisedContrastive": (LABELS, FIRST),
    "Triplet": (LABELS, FIRST),
    "Uniformity": (SAME, FIRST),
}


def test_no_loss_is_left_out():
    assert sorted([*FUNCTIONS, *CLASSES]) == sorted(losses.__all__)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_takes_lists(name):
    function, arrays = getattr(losses, name), FUNCTIONS[name]
    rows = ops.convert_to_numpy(function(*[each.tolist() for each in arrays]))
    np.testing.assert_allclose(
        rows, ops.convert_to_numpy(function(*arrays)), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("name", CLASSES)
def test_a_keras_loss_takes_lists(name):
    loss, arrays = getattr(losses, name)(), CLASSES[name]
    value = float(loss(*[each.tolist() for each in arrays]))
    np.testing.assert_allclose(value, float(loss(*arrays)), rtol=1e-5)


def test_candidates_may_be_lists():
    whole = losses.info_nce(FIRST, SECOND)
    part = losses.info_nce(
        FIRST[:2].tolist(), SECOND[:2].tolist(), candidates=SECOND.tolist()
    )
    np.testing.assert_allclose(part, whole[:2], rtol=1e-5)


def test_whole_numbers_are_numbers():
    rows = losses.nt_xent([[1, 0], [0, 1]], [[2, 0], [0, 3]])
    expected = losses.nt_xent(np.eye(2), np.eye(2))
    np.testing.assert_allclose(rows, expected, rtol=1e-5)


@pytest.mark.parametrize(
    "values", [None, "ab", ["a", "b"], [[1.0, 2.0], [3.0]], {"a": 1}]
)
def test_what_is_no_numbers_is_refused(values):
    with pytest.raises(ValueError, match="`keys` must be an array, a tensor"):
        as_tensor("keys", values)
    with pytest.raises(ValueError, match="`view_2` must be an array"):
        losses.nt_xent(FIRST, values)


def test_arrays_stay_as_they_are():
    doubles = FIRST.astype("float64")
    assert as_tensor("keys", doubles) is doubles


@pytest.mark.parametrize(
    "function", [losses.uniformity, losses.batch_gaussian_kl]
)
def test_vectors_stand_one_a_row(function):
    with pytest.raises(ValueError, match=r"`embeddings` .* received \(5,\)"):
        function(FIRST[0])
