"""Monitors that put the evaluation of features into the logs of `fit`."""

from keras_contrastive.callbacks.clustering_monitor import ClusteringMonitor
from keras_contrastive.callbacks.collapse_monitor import CollapseMonitor
from keras_contrastive.callbacks.knn_monitor import KNNMonitor

__all__ = ["ClusteringMonitor", "CollapseMonitor", "KNNMonitor"]
