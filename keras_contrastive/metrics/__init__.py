"""What a contrastive batch tells about itself while training."""

from keras_contrastive.metrics.contrastive_accuracy import contrastive_accuracy
from keras_contrastive.metrics.contrastive_figures import contrastive_figures
from keras_contrastive.metrics.neighbour_accuracy import neighbour_accuracy

__all__ = ["contrastive_accuracy", "contrastive_figures", "neighbour_accuracy"]
