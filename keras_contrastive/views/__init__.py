"""Random views of images, made in batches on the device."""

from keras_contrastive.views.color_jitter import ColorJitter
from keras_contrastive.views.composition import Policy
from keras_contrastive.views.composition import PolicySet
from keras_contrastive.views.contact_sheet import contact_sheet
from keras_contrastive.views.cutout import Cutout
from keras_contrastive.views.gaussian_blur import GaussianBlur
from keras_contrastive.views.grayscale import Grayscale
from keras_contrastive.views.identity import Identity
from keras_contrastive.views.noise import Noise
from keras_contrastive.views.policy import policies
from keras_contrastive.views.policy import policy
from keras_contrastive.views.resized_crop import ResizedCrop
from keras_contrastive.views.solarize import Solarize
from keras_contrastive.views.transformation import Transformation

__all__ = [
    "ColorJitter",
    "Cutout",
    "GaussianBlur",
    "Grayscale",
    "Identity",
    "Noise",
    "Policy",
    "PolicySet",
    "ResizedCrop",
    "Solarize",
    "Transformation",
    "contact_sheet",
    "policies",
    "policy",
]
