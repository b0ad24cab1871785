"""The model that the flags ask for, before training."""

import keras

from experiments import devices
from experiments import methods
from experiments import training_flags
from keras_contrastive import encoders
from keras_contrastive import layers
from keras_contrastive import models
from keras_contrastive import optimizers

PROJECTION_DIM = 128
QUEUE_SIZE = 4096


def build(
    name,
    values,
    study_data,
    views,
    seed,
    normalization="batch",
):
    """Builds a method's model.

    Args:
        name: str, of `methods.METHODS`.
        values: `flags.FLAGS`, parsed.
        study_data: StudyData, for the shape of its images and their number.
        views: view policy.
        seed: int, of the views and of the order of the images.
        normalization: as encoders and heads take it.

    Returns:
        ContrastiveModel.
    """
    keras.config.set_dtype_policy(values.precision)
    method = methods.METHODS[name]
    if normalization == "batch" and devices.synchronizes(values):
        normalization = "synchronized"
    options = {
        "candidates": values.candidates,
        **dict(method.options),
        **_asked_for(name, values, len(study_data.train)),
    }
    image_shape = study_data.train.images.shape[1:]
    if method.model == "CPC":
        # Three by three patches; groups of channels, for by their batch
        # patches would know of those that they are to predict.
        options["image_shape"] = image_shape
        options["patch_size"] = image_shape[0] // 2
        image_shape = (image_shape[0] // 2,) * 2 + image_shape[2:]
        plain = normalization in ("batch", "synchronized")
        normalization = "group" if plain else normalization
    encoder = getattr(encoders, values.encoder)(
        input_shape=image_shape, normalization=normalization
    )
    if method.model == "Classifier":
        options["num_classes"] = study_data.num_classes
    elif method.projector:
        options["projector"] = _projector(values, encoder, normalization)
    model_class = getattr(models, method.model)
    return model_class(encoder, views=views, seed=seed, **options)


def compile_model(model, values, learning_rate, steps):
    """Gives a model the optimizer that flags ask for, and its schedule.

    Args:
        model: keras.Model.
        values: `flags.FLAGS`, parsed.
        learning_rate: float, the highest.
        steps: int, updates in all.
    """
    rate = _schedule(values, learning_rate, steps)
    options = {}
    if values.optimizer in ("sgd", "lars"):
        options["momentum"] = 0.9
    if values.optimizer != "adam":
        options["weight_decay"] = values.weight_decay
    optimizer = {
        "adam": keras.optimizers.Adam,
        "adamw": keras.optimizers.AdamW,
        "sgd": optimizers.SGD,
        "lars": optimizers.LARS,
    }[values.optimizer]
    with devices.scope():
        model.compile(
            optimizer=optimizer(rate, **options),
            steps_per_execution=values.steps_per_execution,
        )


def _schedule(values, learning_rate, steps):
    if values.milestones is None:
        warmup = int(values.warmup * steps)
        return optimizers.CosineSchedule(learning_rate, steps, warmup)
    # A boundary is the last step of the rate before it.
    return keras.optimizers.schedules.PiecewiseConstantDecay(
        [round(float(share) * steps) - 1 for share in values.milestones],
        [learning_rate / 10**n for n in range(len(values.milestones) + 1)],
    )


def _asked_for(name, values, num_images):
    """Arguments of the model from flags, and defaults that go by the data."""
    given = {
        flag: values[flag].value
        for flag in methods.METHODS[name].flags
        if values[flag].value is not None
    }
    if name == "simclr":
        default = methods.simclr_temperature(values.dataset)
        given.setdefault("temperature", default)
    if name == "moco":
        given.setdefault("queue_size", _queue_size(values, num_images))
    if given.pop("discriminator_epochs", None):
        given["stage"] = "encoder"
    prefix = "adversarial_"
    attack = {
        flag.removeprefix(prefix): given.pop(flag)
        for flag in list(given)
        if flag.startswith(prefix)
    }
    if attack:
        given["adversary"] = models.Adversary(**attack)
    return given


def _queue_size(values, num_images):
    """As in MoCo's CIFAR-10 demo; of fewer images, half of them."""
    keys = training_flags.value_of(values, "batch_size")
    keys *= 2 if values.symmetric else 1
    return max(keys, min(QUEUE_SIZE, num_images // 2))


def _projector(values, encoder, normalization):
    if values.projector == "none":
        return None
    variant, _, kind = values.projector.rpartition("_")
    return layers.projection_head(
        kind,
        encoder.output_shape[-1],
        output_dim=PROJECTION_DIM,
        normalization="none" if variant == "plain" else normalization,
        normalize_output=variant == "normalized",
    )
