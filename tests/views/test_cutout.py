import numpy as np
import pytest
from keras import ops
from scipy import stats

from keras_contrastive.views import Cutout
from keras_contrastive.views.draws import Draws


def test_apply_covers_squares():
    generator = np.random.default_rng(0)
    images = generator.random((6, 20, 30, 3), "float32")
    rows = np.array([0, 19, 7, 10, 10, 3])
    columns = np.array([0, 29, 12, 0, 29, 4])
    sides = np.array([8, 5, 4, 30, 1, 0])
    fills = generator.random(6).astype("float32")
    numbers = [rows, columns, sides, fills]
    covered = Cutout.apply(
        ops.convert_to_tensor(images),
        *(ops.convert_to_tensor(n.astype("float32")) for n in numbers),
    )
    expected = images.copy()
    for k, (row, column, side, fill) in enumerate(zip(*numbers)):
        top, left = row - side // 2, column - side // 2
        bottom, right = top + side, left + side
        expected[k, max(top, 0) : bottom, max(left, 0) : right] = fill
    np.testing.assert_array_equal(ops.convert_to_numpy(covered), expected)
    assert (expected[5] == images[5]).all()


def sample(shape, **arguments):
    cutout = Cutout(**arguments)
    parameters = {
        name: ops.convert_to_tensor(np.array([value], "float32"))
        for name, value in cutout.parameters().items()
    }
    positions = np.arange(20_000, dtype="int32")
    place = {"seed": 0, "step": 0, "view": 0, "stream": Cutout.stream}
    draws = Draws(positions=positions, **place)
    choices = cutout.sample(draws, parameters, shape)
    return {k: ops.convert_to_numpy(v) for k, v in choices.items()}


def test_centers_are_uniform_over_all_pixels():
    choices = sample((12, 20, 3), probability=1.0)
    for name, size in (("row", 12), ("column", 20)):
        counts = np.bincount(choices[name].astype(int), minlength=size)
        assert len(counts) == size
        assert stats.chisquare(counts).pvalue > 1e-3
    correlation = np.corrcoef(choices["row"], choices["column"])[0, 1]
    assert abs(correlation) < 4.5 / np.sqrt(20_000)


@pytest.mark.parametrize("probability", [0.0, 0.5, 1.0])
def test_squares_have_their_side_and_probability(probability):
    choices = sample((32, 48, 3), size=0.25, probability=probability)
    assert set(choices["side"]) <= {0.0, 8.0}
    covered = int((choices["side"] == 8.0).sum())
    assert stats.binomtest(covered, 20_000, probability).pvalue > 1e-3
    assert choices["fill"] == 0.5


@pytest.mark.parametrize(
    ("arguments", "received"), [({"size": 16}, "16"), ({"fill": -1}, "-1")]
)
def test_bad_arguments_are_refused(arguments, received):
    with pytest.raises(ValueError, match=received):
        Cutout(**arguments)
