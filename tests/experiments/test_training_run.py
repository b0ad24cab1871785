"""A run says that it is done only if its encoder is the one it trained."""

import types

import numpy as np
import pytest

from experiments import run_evaluation
from experiments import training_run
from experiments.run_folder import RunFolder
from keras_contrastive import export
from keras_contrastive import models
from tests.models import checks

IMAGES = checks.images(8)


@pytest.fixture
def exported(tmp_path):
    """Exports a model, and looks whether its file is the same."""
    part = types.SimpleNamespace(
        sample=lambda count: types.SimpleNamespace(load=lambda: IMAGES)
    )
    study_data = types.SimpleNamespace(test=part)
    model = checks.small_model(models.SimCLR)
    return lambda: training_run._export(model, study_data, RunFolder(tmp_path))


def test_it_is_the_same(exported, tmp_path):
    exported()
    assert (tmp_path / "encoder.keras").exists()


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        (0.5, RuntimeError, "differs .* at most .* is expected"),
        (np.nan, run_evaluation.Diverged, "^$"),
    ],
)
def test_another_one_is_noticed(exported, monkeypatch, wrong, error, words):
    right = export.encoder

    def spoilt(model):
        encoder = right(model)
        encoder.set_weights([each + wrong for each in encoder.get_weights()])
        return encoder

    monkeypatch.setattr(export, "encoder", spoilt)
    with pytest.raises(error, match=words):
        exported()
