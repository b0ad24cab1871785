"""Normalization layers and converters, patches, contexts and heads."""

from keras_contrastive.layers.batch_normalization import BatchNormalization
from keras_contrastive.layers.batch_renormalization import BatchRenormalization
from keras_contrastive.layers.causal_context import causal_context
from keras_contrastive.layers.convert import (
    convert_to_split_batch_normalization,
)
from keras_contrastive.layers.convert import fold_split_batch_normalization
from keras_contrastive.layers.normalization import NormalizationFactory
from keras_contrastive.layers.patches import Patches
from keras_contrastive.layers.projector import projection_head
from keras_contrastive.layers.routed_model import RoutedModel
from keras_contrastive.layers.routed_model import call_routed
from keras_contrastive.layers.routed_model import routes_by_ids
from keras_contrastive.layers.routed_model import split_ids_input
from keras_contrastive.layers.split_batch_normalization import (
    SplitBatchNormalization,
)

__all__ = [
    "BatchNormalization",
    "BatchRenormalization",
    "NormalizationFactory",
    "Patches",
    "RoutedModel",
    "SplitBatchNormalization",
    "call_routed",
    "causal_context",
    "convert_to_split_batch_normalization",
    "fold_split_batch_normalization",
    "projection_head",
    "routes_by_ids",
    "split_ids_input",
]
