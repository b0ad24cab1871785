"""Contrastive and self-supervised learning for Keras 3.

Sub-packages load when they are first used, so that importing this package
costs nothing:

```python
import keras_contrastive as kc

dataset = kc.data.load("digits")
model = kc.models.SimCLR(kc.encoders.two_conv())
```
"""

import importlib

from keras_contrastive.version import __version__

__all__ = [
    "__version__",
    "callbacks",
    "data",
    "distribution",
    "encoders",
    "evaluation",
    "export",
    "layers",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "views",
]


def __getattr__(name):
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return __all__
