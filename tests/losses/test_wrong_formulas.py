"""A wrong axis, mask, factor or temperature of a loss does not go unnoticed.

Each loss is calculated by its own source with one thing changed in it. That
must give other rows of random, asymmetric input than the true one, of which
the other files show that it equals a transcription of the formula.
"""

import importlib
import inspect
import re

import numpy as np
import pytest
from keras import ops

from keras_contrastive import losses
from tests.losses.rows import ARGUMENTS
from tests.losses.rows import FUNCTIONS
from tests.losses.rows import LABELS
from tests.losses.rows import rows_of

# Rows 1 to 3 of six, so that rows and columns cannot be exchanged.
PART = slice(1, 4)

# Of each loss: text, what stands there instead, and the module, if not its
# own.
WRONG = {
    "alignment": [
        ("unit_vectors(view_2)", "view_2"),
        (", alpha)\n\n\ndef", ", 2.0)\n\n\ndef"),
        ("raised(others)), axis=1", "raised(others)), axis=0", "distances"),
    ],
    "batch_gaussian_kl": [
        ("mean(embeddings, axis=0)", "mean(embeddings)"),
        ("- mean), axis=0)", "- mean))"),
    ],
    "bilinear_info_nce": [
        ("logsumexp(scores, axis=1)", "logsumexp(scores, axis=0)"),
        ("positions[:, None]", "positions[::-1, None]"),
    ],
    "decoupled_contrastive": [
        ("negatives / temperature", "negatives"),
        ("positives / temperature", "positives"),
        ("without(similarities, partners)", "similarities"),
        ("without(similarities, itself)", "similarities", "view_similarities"),
    ],
    "gaussian_kl": [
        ("axis=-1)", "axis=0)"),
        ("other_variance / variance)", "variance / other_variance)"),
    ],
    "given_triplet": [
        ("distances(anchors, negatives", "distances(positives, negatives"),
        ("raised(others)), axis=1", "raised(others)), axis=0", "distances"),
    ],
    "info_nce": [
        ("similarities / temperature", "similarities"),
        ("positives / temperature", "positives"),
        ("temperature, axis=1)", "temperature, axis=0)"),
        ("positions[:, None]", "positions[::-1, None]"),
    ],
    "margin_contrastive": [
        ("(1.0 - same)", "same"),
        ("alike = 0.5 * squared", "alike = squared"),
        ("raised(others)), axis=1", "raised(others)), axis=0", "distances"),
    ],
    "nt_xent": [
        ("anchors / temperature", "anchors"),
        ("axis=0), axis=1", "axis=0), axis=0"),
        (
            "        itself,\n        partners",
            "        partners,\n        partners",
        ),
    ],
    "pair_discrimination": [
        ("softplus(-positive)", "softplus(positive)"),
        ("negative - positive", "positive - negative"),
    ],
    "pair_distance": [
        ("raised(others)), axis=1", "raised(others)), axis=0", "distances"),
    ],
    "siamese_composite": [
        (
            "gamma * batch_gaussian_kl(candidates_1)",
            "gamma * batch_gaussian_kl(candidates_2)",
        ),
        ("= distance_weight * distance", "= distance"),
        ("consistency_weight * divergence", "divergence"),
    ],
    "similarity_consistency": [
        ("each / temperature", "each"),
        ("temperature, axis=1)", "temperature, axis=0)"),
        ("without(each, myself)", "each"),
    ],
    "supervised_contrastive": [
        ("        / temperature\n", ""),
        ("logsumexp(logits, axis=1)", "logsumexp(logits, axis=0)"),
        ("weights, axis=1)", "weights, axis=0)"),
        (
            "ops.logical_and(same_class, ops.logical_not(is_myself))",
            "same_class",
            "label_pairs",
        ),
    ],
    "triplet": [
        ("totals / ops.maximum(weights, 1.0)", "totals"),
        (
            "ops.logical_and(same_class, ops.logical_not(is_myself))",
            "same_class",
            "label_pairs",
        ),
        ("ops.logical_not(same_class)", "same_class", "label_pairs"),
    ],
    "uniformity": [
        ("2.0 * t * vectors", "t * vectors"),
        ("(number - 1.0)", "number"),
        ("itself=ops.arange", "itself=0 * ops.arange"),
    ],
}


def test_every_loss_is_made_wrong():
    assert WRONG.keys() == set(FUNCTIONS)


@pytest.mark.parametrize(
    ("name", "change"),
    [(name, change) for name, changes in WRONG.items() for change in changes],
)
def test_what_is_wrong_gives_other_rows(name, change):
    """So that the transcriptions, which are of such input, would notice."""
    own = inspect.getmodule(getattr(losses, name)).__name__.split(".")[-1]
    text, instead, module = (*change, own)[:3]
    wrong = _executed(module, text, instead)
    if module != own:
        used = _executed(own)
        shared = {
            each: wrong[each]
            for each in used.keys() & wrong.keys()
            if getattr(wrong[each], "__module__", None) == wrong["__name__"]
        }
        assert shared
        used.update(shared)
        wrong = used
    for arguments, kwargs in _calls(name):
        expected = rows_of(name, arguments, **kwargs)
        try:
            rows = ops.convert_to_numpy(wrong[name](*arguments, **kwargs))
        except Exception:
            return
        if rows.shape != expected.shape:
            return
        if not np.allclose(rows, expected, rtol=1e-3, atol=1e-4):
            return
    raise AssertionError(f"{name} with {instead!r} gives the same rows.")


def _calls(name):
    """Calls with which a loss is compared with what it should be."""
    calls = [(ARGUMENTS[name], {})]
    if name in ("supervised_contrastive", "triplet"):
        labels, embeddings, *others = ARGUMENTS[name]
        others_too = {
            "candidate_labels": LABELS,
            "candidates": embeddings,
            "positions": np.arange(6, dtype="int32")[PART],
        }
        calls.append(((labels[PART], embeddings[PART], *others), others_too))
    return calls


def _executed(module, text=None, instead=None):
    """The names of a module of losses, with other text in one place."""
    path = f"keras_contrastive.losses.{module}"
    source = inspect.getsource(importlib.import_module(path))
    if text is not None:
        code = re.sub(r'"""(?:.|\n)*?"""', "", source)
        assert text in code, (module, text)
        source = code.replace(text, instead)
    # What is registered is the module's own.
    source = re.sub(r"@keras\.saving\.register[^\n]*", "", source)
    names = {"__name__": f"wrong_{module}"}
    exec(compile(source, path, "exec"), names)
    return names
