"""Names and arguments that users and later work rely on."""

import inspect

import pytest

from keras_contrastive import data
from keras_contrastive import encoders
from keras_contrastive import evaluation
from keras_contrastive import layers
from keras_contrastive import losses
from keras_contrastive import models
from keras_contrastive import views

REQUIRED = inspect.Parameter.empty
# What comes first, in this order; a method's `self` left out.
PROMISED = {
    data.load: {"name": REQUIRED, "data_dir": None},
    data.split: dict.fromkeys(("labels", "fractions", "seed"), REQUIRED),
    data.partition: dict.fromkeys(("labels", "num_subsets", "seed"), REQUIRED),
    data.long_tail: dict.fromkeys(
        ("labels", "imbalance_factor", "seed"), REQUIRED
    ),
    data.batches: dict.fromkeys(("images", "batch_size"), REQUIRED),
    views.policy: {"name": REQUIRED},
    encoders.two_conv: {},
    encoders.resnet18: {},
    layers.convert_to_split_batch_normalization: {"model": REQUIRED},
    losses.nt_xent: dict.fromkeys(("view_1", "view_2"), REQUIRED),
    evaluation.clustering_accuracy: dict.fromkeys(
        ("labels", "clusters"), REQUIRED
    ),
    evaluation.knn_accuracy: {
        **dict.fromkeys(
            (
                "train_features",
                "train_labels",
                "test_features",
                "test_labels",
            ),
            REQUIRED,
        ),
        "k": 200,
        "temperature": 0.1,
    },
    models.SimCLR: {"encoder": REQUIRED},
    layers.SplitBatchNormalization: {
        "num_splits": REQUIRED,
        "assignment": REQUIRED,
        "split_affine": False,
        "split_statistics": False,
        "aggregation": "mean",
        "synchronized": False,
        "momentum": 0.9,
        "epsilon": 1e-5,
    },
}


@pytest.mark.parametrize("function", PROMISED, ids=lambda each: each.__name__)
def test_arguments_are_as_promised(function):
    found = inspect.signature(function).parameters
    promised = PROMISED[function]
    assert {
        name: each.default
        for name, each in list(found.items())[: len(promised)]
    } == promised
    assert list(found)[: len(promised)] == list(promised)


def test_a_policy_is_called_as_promised():
    found = inspect.signature(views.policy("simclr").__call__).parameters
    assert {name: each.default for name, each in found.items()} == {
        "images": REQUIRED,
        "seed": REQUIRED,
        "step": REQUIRED,
        "view": REQUIRED,
        "positions": None,
        "policy_ids": None,
    }


def test_what_else_has_a_name():
    for each in (
        losses.NTXent,
        evaluation.linear_probe_accuracy,
        evaluation.evaluate_features,
    ):
        assert callable(each)
    assert "temperature" in inspect.signature(losses.nt_xent).parameters
    options = inspect.signature(models.SimCLR).parameters
    assert {"projector", "views", "temperature"} <= options.keys()
    digits = data.load("digits")
    assert len(digits.class_names) == 10
    for part in (digits.train, digits.test):
        assert len(part.images) == len(part.labels)
