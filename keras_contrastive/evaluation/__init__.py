"""How good representations are: NumPy arrays in, floats out."""

from keras_contrastive.evaluation.baselines import chance_clustering_accuracy
from keras_contrastive.evaluation.baselines import pca_features
from keras_contrastive.evaluation.baselines import pixel_features
from keras_contrastive.evaluation.class_frequency import accuracy_by_frequency
from keras_contrastive.evaluation.clustering import ari
from keras_contrastive.evaluation.clustering import clustering_accuracy
from keras_contrastive.evaluation.clustering import clustering_figures
from keras_contrastive.evaluation.clustering import nmi
from keras_contrastive.evaluation.clustering import purity
from keras_contrastive.evaluation.evaluate import evaluate_features
from keras_contrastive.evaluation.geometry import alignment
from keras_contrastive.evaluation.geometry import collapsed
from keras_contrastive.evaluation.geometry import effective_rank
from keras_contrastive.evaluation.geometry import spread
from keras_contrastive.evaluation.geometry import uniformity
from keras_contrastive.evaluation.k_means import kmeans_clustering
from keras_contrastive.evaluation.knn import knn_accuracy
from keras_contrastive.evaluation.knn import knn_predict
from keras_contrastive.evaluation.linear_probe import linear_probe_accuracy
from keras_contrastive.evaluation.linear_probe import linear_probe_predict
from keras_contrastive.evaluation.similarity import similarity_auroc

__all__ = [
    "accuracy_by_frequency",
    "alignment",
    "ari",
    "chance_clustering_accuracy",
    "clustering_accuracy",
    "clustering_figures",
    "collapsed",
    "effective_rank",
    "evaluate_features",
    "kmeans_clustering",
    "knn_accuracy",
    "knn_predict",
    "linear_probe_accuracy",
    "linear_probe_predict",
    "nmi",
    "pca_features",
    "pixel_features",
    "purity",
    "similarity_auroc",
    "spread",
    "uniformity",
]
