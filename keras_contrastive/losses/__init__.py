"""Contrastive losses: a pure function a row, and its keras.losses.Loss."""

from keras_contrastive.losses.alignment import Alignment
from keras_contrastive.losses.alignment import alignment
from keras_contrastive.losses.bilinear_info_nce import BilinearInfoNCE
from keras_contrastive.losses.bilinear_info_nce import bilinear_info_nce
from keras_contrastive.losses.decoupled_contrastive import DecoupledContrastive
from keras_contrastive.losses.decoupled_contrastive import decoupled_contrastive
from keras_contrastive.losses.gaussian_kl import GaussianKL
from keras_contrastive.losses.gaussian_kl import batch_gaussian_kl
from keras_contrastive.losses.gaussian_kl import gaussian_kl
from keras_contrastive.losses.info_nce import InfoNCE
from keras_contrastive.losses.info_nce import info_nce
from keras_contrastive.losses.margin_contrastive import MarginContrastive
from keras_contrastive.losses.margin_contrastive import margin_contrastive
from keras_contrastive.losses.nt_xent import NTXent
from keras_contrastive.losses.nt_xent import nt_xent
from keras_contrastive.losses.pair_discrimination import PairDiscrimination
from keras_contrastive.losses.pair_discrimination import pair_discrimination
from keras_contrastive.losses.pair_distance import PairDistance
from keras_contrastive.losses.pair_distance import pair_distance
from keras_contrastive.losses.siamese_composite import SiameseComposite
from keras_contrastive.losses.siamese_composite import siamese_composite
from keras_contrastive.losses.similarity_consistency import (
    SimilarityConsistency,
)
from keras_contrastive.losses.similarity_consistency import (
    similarity_consistency,
)
from keras_contrastive.losses.supervised_contrastive import (
    SupervisedContrastive,
)
from keras_contrastive.losses.supervised_contrastive import (
    supervised_contrastive,
)
from keras_contrastive.losses.triplet import GivenTriplet
from keras_contrastive.losses.triplet import Triplet
from keras_contrastive.losses.triplet import given_triplet
from keras_contrastive.losses.triplet import triplet
from keras_contrastive.losses.uniformity import Uniformity
from keras_contrastive.losses.uniformity import uniformity

__all__ = [
    "Alignment",
    "BilinearInfoNCE",
    "DecoupledContrastive",
    "GaussianKL",
    "GivenTriplet",
    "InfoNCE",
    "MarginContrastive",
    "NTXent",
    "PairDiscrimination",
    "PairDistance",
    "SiameseComposite",
    "SimilarityConsistency",
    "SupervisedContrastive",
    "Triplet",
    "Uniformity",
    "alignment",
    "batch_gaussian_kl",
    "bilinear_info_nce",
    "decoupled_contrastive",
    "gaussian_kl",
    "given_triplet",
    "info_nce",
    "margin_contrastive",
    "nt_xent",
    "pair_discrimination",
    "pair_distance",
    "siamese_composite",
    "similarity_consistency",
    "supervised_contrastive",
    "triplet",
    "uniformity",
]
