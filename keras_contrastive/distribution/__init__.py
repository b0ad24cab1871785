"""Replicas of one model, and what they share."""

from keras_contrastive.distribution import replicas

__all__ = ["replicas"]
