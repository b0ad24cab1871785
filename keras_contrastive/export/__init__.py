"""Trained encoders, with their preprocessing inside."""

from keras_contrastive.export.encoder import encoder

__all__ = ["encoder"]
