import inspect
import re
import textwrap

import pytest

from keras_contrastive import views
from keras_contrastive.views import hash

TARGETS = [getattr(views, name) for name in views.__all__]
TARGETS += [hash.bits, hash.uniform]


@pytest.mark.parametrize("target", TARGETS, ids=lambda each: each.__name__)
def test_examples_run(target):
    examples = re.findall(
        r"```python\n(.*?)```", inspect.getdoc(target), re.DOTALL
    )
    assert examples
    for example in examples:
        exec(textwrap.dedent(example), {"__name__": target.__name__})
