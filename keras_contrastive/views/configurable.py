"""Objects that are nothing but their constructor's arguments."""

import inspect

import keras


class Configurable:
    """Keeps its constructor's arguments as attributes of the same names.

    From these follow equality, the printed form, and the config with which
    `keras.saving` writes and reads a registered subclass. What is written as
    a tuple may be read as a list.
    """

    def arguments(self):
        """Returns the constructor's arguments as a dict."""
        names = inspect.signature(type(self)).parameters
        return {name: getattr(self, name) for name in names}

    def get_config(self):
        """Returns the constructor's arguments in a form that JSON can hold."""
        return keras.saving.serialize_keras_object(self.arguments())

    @classmethod
    def from_config(cls, config):
        """Builds the object from what `get_config` returned."""
        return cls(
            **{
                name: keras.saving.deserialize_keras_object(value)
                for name, value in config.items()
            }
        )

    def __eq__(self, other):
        return type(self) is type(other) and (
            self.arguments() == other.arguments()
        )

    def __hash__(self):
        return hash(repr(self))

    def __repr__(self):
        arguments = ", ".join(
            f"{name}={value!r}" for name, value in self.arguments().items()
        )
        return f"{type(self).__name__}({arguments})"
