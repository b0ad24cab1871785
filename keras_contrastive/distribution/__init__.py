"""Training on several devices and machines: N replicas train as one."""

from keras_contrastive.distribution import replicas
from keras_contrastive.distribution import workers
from keras_contrastive.distribution.logical_cpus import logical_cpus
from keras_contrastive.distribution.strategy import strategy

__all__ = ["logical_cpus", "replicas", "strategy", "workers"]
