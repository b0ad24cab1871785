"""Images by name, seeded splits, subsets and long tails, and batches."""

from keras_contrastive.data.batches import Batches
from keras_contrastive.data.batches import batches
from keras_contrastive.data.dataset import Dataset
from keras_contrastive.data.dataset import Split
from keras_contrastive.data.long_tail import long_tail
from keras_contrastive.data.sources import load
from keras_contrastive.data.splits import index_hash
from keras_contrastive.data.splits import split
from keras_contrastive.data.subsets import partition

__all__ = [
    "Batches",
    "Dataset",
    "Split",
    "batches",
    "index_hash",
    "load",
    "long_tail",
    "partition",
    "split",
]
