from keras_contrastive.views.configurable import Configurable


class Pair(Configurable):
    def __init__(self, first, second=(1.0, 2.0)):
        self.first = first
        self.second = tuple(second)
        self.not_an_argument = object()


class OtherPair(Pair):
    pass


def test_arguments_make_the_object_again():
    pair = Pair(None, (0.5, 1.5))
    assert pair.arguments() == {"first": None, "second": (0.5, 1.5)}
    again = Pair.from_config(pair.get_config())
    assert again.first is None and again.second == (0.5, 1.5)


def test_equality_is_that_of_kind_and_arguments():
    assert Pair(1) == Pair(1)
    assert hash(Pair(1)) == hash(Pair(1))
    assert Pair(1) != Pair(2)
    assert Pair(1) != OtherPair(1)
    assert Pair(1) != 1


def test_printed_form_is_the_call():
    assert repr(Pair("a")) == "Pair(first='a', second=(1.0, 2.0))"
