import numpy as np

from keras_contrastive.models import streams
from keras_contrastive.models.adversary import Adversary
from keras_contrastive.models.pair_partners import partners
from keras_contrastive.views import hash as counter_hash

PLACE = {"seed": 3, "step": 7}


def test_each_stream_is_its_own_and_no_views():
    numbers = [value for name, value in vars(streams).items() if name.isupper()]
    assert len(numbers) == 3 and len(set(numbers)) == 3
    assert min(numbers) >= 1 << 20


def test_partners_and_the_adversary_draw_from_their_own():
    positions = np.arange(40, dtype="int32")
    chosen = Adversary(share=0.25).choose(positions, **PLACE)
    place = {"positions": positions, "view": 0, **PLACE}
    draws = counter_hash.uniform(1, stream=streams.ADVERSARY, **place)
    order = np.argsort(np.asarray(draws)[:, 0])
    np.testing.assert_array_equal(chosen, order[:10])
    _, other, _ = partners(positions, positions, positions, **PLACE)
    draws = counter_hash.bits(1, stream=streams.PAIR_PARTNERS, **place)
    assert int(other[0]) == 1 + np.asarray(draws)[0, 0] % 39
