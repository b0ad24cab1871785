"""A temperature that may change from step to step."""

import keras

from keras_contrastive.losses.temperature import check_temperature


class TemperatureSchedule:
    """What a method has whose temperature may be a schedule; a mixin.

    A method sets `temperature`, a number or a function from the step to a
    positive number, and gives `temperature_now()` to its loss. `evaluate`
    goes by the step that training has reached.
    """

    def temperature_now(self):
        """The temperature at the model's step, a number or scalar tensor."""
        if callable(self.temperature):
            return self.temperature(self.step.value)
        return self.temperature

    def get_config(self):
        return {
            **super().get_config(),
            "temperature": keras.saving.serialize_keras_object(
                self.temperature
            ),
        }

    @classmethod
    def from_config(cls, config):
        temperature = keras.saving.deserialize_keras_object(
            config["temperature"]
        )
        return super().from_config({**config, "temperature": temperature})


def check_temperature_or_schedule(temperature, advice):
    """Refuses a temperature that is not positive, of a schedule at step 0.

    Args:
        temperature: number, or function from the step to a number, whose
            later values are its own business.
        advice: str, a value to take instead.

    Raises:
        ValueError: if it is zero, negative or not a number.
    """
    if callable(temperature):
        temperature = float(temperature(0))
        advice = f"the schedule begins there; {advice}"
    check_temperature(temperature, advice=advice)
