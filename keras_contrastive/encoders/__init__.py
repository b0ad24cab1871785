"""Encoders: networks from images to features. Any `keras.Model` serves."""

from keras_contrastive.encoders.resnet import resnet18
from keras_contrastive.encoders.resnet import resnet34
from keras_contrastive.encoders.two_conv import two_conv

__all__ = ["resnet18", "resnet34", "two_conv"]
