"""What a contrastive batch tells about itself while training."""

from keras_contrastive.metrics.contrastive_accuracy import contrastive_accuracy

__all__ = ["contrastive_accuracy"]
