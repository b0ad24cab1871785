"""Contrastive losses: a pure function a row, and its keras.losses.Loss."""

from keras_contrastive.losses.nt_xent import NTXent
from keras_contrastive.losses.nt_xent import nt_xent

__all__ = ["NTXent", "nt_xent"]
