import numpy as np

from keras_contrastive.models.shuffle import shuffled_rows


def test_the_second_order_undoes_the_first():
    order, inverse = (np.asarray(each) for each in shuffled_rows(50, 3, 7))
    np.testing.assert_array_equal(np.sort(order), np.arange(50))
    np.testing.assert_array_equal(order[inverse], np.arange(50))


def test_it_is_a_function_of_seed_and_step():
    first = np.asarray(shuffled_rows(50, 3, 7)[0])
    np.testing.assert_array_equal(first, shuffled_rows(50, 3, 7)[0])
    for other in [(4, 7), (3, 8)]:
        assert (first != np.asarray(shuffled_rows(50, *other)[0])).sum() > 40
