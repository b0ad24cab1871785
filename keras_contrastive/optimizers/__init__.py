"""What published recipes need of optimizers, and Keras lacks."""

from keras_contrastive.optimizers.cosine_schedule import CosineSchedule
from keras_contrastive.optimizers.cosine_schedule import cosine_with_warmup
from keras_contrastive.optimizers.lars import LARS
from keras_contrastive.optimizers.sgd import SGD

__all__ = ["LARS", "SGD", "CosineSchedule", "cosine_with_warmup"]
