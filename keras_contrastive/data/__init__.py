"""Images by name, seeded splits, subsets and long tails, and batches.

Keras and its backend load with the first batches, or with CIFAR-10: what
else names, finds and cuts images does without.
"""

from keras_contrastive.data.batches import batches
from keras_contrastive.data.dataset import Dataset
from keras_contrastive.data.dataset import Split
from keras_contrastive.data.long_tail import long_tail
from keras_contrastive.data.sources import check_available
from keras_contrastive.data.sources import load
from keras_contrastive.data.splits import index_hash
from keras_contrastive.data.splits import split
from keras_contrastive.data.subsets import partition

__all__ = [
    "Batches",
    "Dataset",
    "Split",
    "batches",
    "check_available",
    "index_hash",
    "load",
    "long_tail",
    "partition",
    "split",
]


def __getattr__(name):
    if name == "Batches":
        from keras_contrastive.data.image_batches import Batches

        return Batches
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
