"""One run of the study: a setting, a method and a seed."""

import keras

from experiments import build_model
from experiments import command_line
from experiments import devices
from experiments import settings
from experiments import study_flags
from experiments import training_flags
from experiments import training_run


def run(name, seed, study_data, values, folder):
    """Trains and evaluates one setting, or goes on where it was interrupted.

    Args:
        name: str, the setting's name.
        seed: int.
        study_data: StudyData.
        values: `flags.FLAGS`, parsed.
        folder: RunFolder.
    """
    setting = settings.SETTINGS[name]
    keras.utils.set_random_seed(seed)
    with command_line.refusals():
        batches = settings.training_batches(
            setting,
            study_data,
            training_flags.value_of(values, "batch_size"),
            seed,
            values.subset_policies,
        )
        with devices.scope():
            model = build(name, study_data, values, seed)
        model.check_batches(batches)
    record = {
        "setting": name,
        "method": values.method,
        "seed": seed,
        "setting_description": settings.describe(
            setting, values.num_subsets, values.subset_policies, values.policy
        ),
        "flags": study_flags.as_dict(values),
    }
    training_run.run(model, batches, study_data, values, folder, record)


def build(name, study_data, values, seed):
    """The model of a setting, before training.

    Args:
        name: str, the setting's name.
        study_data: StudyData.
        values: `flags.FLAGS`, parsed.
        seed: int.

    Returns:
        ContrastiveModel.
    """
    setting = settings.SETTINGS[name]
    return build_model.build(
        values.method,
        values,
        study_data,
        settings.view_policy(
            setting,
            values.num_subsets,
            values.subset_policies,
            values.policy,
        ),
        seed,
        normalization=settings.normalization(setting, values.num_subsets),
    )
