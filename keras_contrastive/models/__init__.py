"""Methods of contrastive learning, each a keras.Model to be fitted."""

# A saved model brings its optimizer and schedules, and Keras finds only what
# has been imported.
import keras_contrastive.optimizers  # noqa: F401
from keras_contrastive.models.adco import AdCo
from keras_contrastive.models.adversary import Adversary
from keras_contrastive.models.classifier import Classifier
from keras_contrastive.models.contrastive_model import ContrastiveModel
from keras_contrastive.models.cpc import CPC
from keras_contrastive.models.moco import MoCo
from keras_contrastive.models.moco_v3 import MoCoV3
from keras_contrastive.models.siamese import Siamese
from keras_contrastive.models.simclr import SimCLR
from keras_contrastive.models.supcon import SupCon
from keras_contrastive.models.triplet_model import TripletModel

__all__ = [
    "AdCo",
    "Adversary",
    "CPC",
    "Classifier",
    "ContrastiveModel",
    "MoCo",
    "MoCoV3",
    "Siamese",
    "SimCLR",
    "SupCon",
    "TripletModel",
]
