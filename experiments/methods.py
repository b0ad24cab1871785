"""The methods that the scripts train, by the names they are asked for.

Imports nothing heavy: the names are known before Keras is imported.
"""

import dataclasses

# SimCLR's, where none is asked for; docs/results has how the first was chosen.
_SIMCLR_TEMPERATURES = {"cifar10": 0.05}
_SIMCLR_TEMPERATURE = 0.2


@dataclasses.dataclass(frozen=True)
class Method:
    """A model class, and what a script may ask of it.

    Attributes:
        model: name of the class in `keras_contrastive.models`.
        words: what it does, for help and tables.
        options: pairs, arguments of the class that make this method of it.
        flags: flags of `method_flags` that it takes.
        labels: whether it learns from labels.
        projector: whether it has a head that `--projector` chooses.
        candidates: whether its loss compares rows of a batch with others,
            which `--candidates` chooses.
    """

    model: str
    words: str
    options: tuple = ()
    flags: tuple = ()
    labels: bool = False
    projector: bool = True
    candidates: bool = True


_ADVERSARY = (
    "adversarial_epsilon",
    "adversarial_steps",
    "adversarial_share",
    "adversarial_weight",
    "adversarial_step_size",
    "adversarial_random_start",
)
_TRIPLET = ("margin", "distance", "mining")

METHODS = {
    "simclr": Method(
        "SimCLR",
        "NT-Xent of two views among all of the batch",
        flags=("temperature", "chunk_size", "view_order", *_ADVERSARY),
    ),
    "moco": Method(
        "MoCo",
        "InfoNCE against a queue of a momentum encoder's keys",
        flags=(
            "temperature",
            "momentum",
            "queue_size",
            "symmetric",
            *_ADVERSARY,
        ),
        candidates=False,
    ),
    "moco_v3": Method(
        "MoCoV3",
        "InfoNCE with a predictor, keys of the batch",
        flags=("temperature", "momentum"),
    ),
    "adco": Method(
        "AdCo",
        "InfoNCE against negatives that are learned against it",
        flags=("temperature", "momentum"),
        candidates=False,
    ),
    "triplet": Method(
        "TripletModel",
        "triplets of views, mined in the batch",
        (("supervised", False),),
        flags=_TRIPLET,
    ),
    "siamese": Method(
        "Siamese",
        "pairs of views by Hadsell's margin loss, and a discriminator",
        flags=("margin", "discriminator_epochs"),
    ),
    "siamese_composite": Method(
        "Siamese",
        "pairs of views by the first source's composite loss",
        (("objective", "composite"),),
        flags=("discriminator_epochs",),
    ),
    "cpc": Method("CPC", "patches predict those below them", projector=False),
    "supcon": Method(
        "SupCon",
        "all views of a class find each other",
        flags=("temperature",),
        labels=True,
    ),
    "triplet_labels": Method(
        "TripletModel",
        "triplets by labels, mined in the batch",
        (("supervised", True),),
        flags=_TRIPLET,
        labels=True,
    ),
    "siamese_labels": Method(
        "Siamese",
        "pairs by labels, and a discriminator",
        (("supervised", True),),
        flags=("margin", "discriminator_epochs"),
        labels=True,
    ),
    "cross_entropy": Method(
        "Classifier",
        "a classifier trained end to end, for comparison",
        (("fine_tune", True),),
        labels=True,
        projector=False,
        candidates=False,
    ),
}


def simclr_temperature(dataset):
    """SimCLR's temperature where none is asked for.

    Args:
        dataset: str, the dataset's name.

    Returns:
        float.
    """
    return _SIMCLR_TEMPERATURES.get(dataset, _SIMCLR_TEMPERATURE)
