"""What a model was compiled with, kept so that any backend can read it.

Keras resolves `jit_compile="auto"` when it compiles, and saves what it came
to: True on JAX, where a step is compiled, False on PyTorch. Read on the other,
the one takes minutes in `torch.compile`, and the other trains operation by
operation.
"""

import keras


class Compilation:
    """Saves `jit_compile` as it was asked for; a part of all models.

    By default that is `"auto"`, which each backend resolves for itself.
    """

    def compile(self, *args, jit_compile="auto", **kwargs):
        """As keras.Model.compile.

        Args:
            *args: as there.
            jit_compile: bool, or `"auto"` for what the backend does best; in
                a saved model, too, of the backend that loads it.
            **kwargs: as there.
        """
        super().compile(*args, jit_compile=jit_compile, **kwargs)
        self._jit_compile_asked_for = jit_compile

    def get_compile_config(self):
        config = super().get_compile_config()
        if config:
            config["jit_compile"] = self._jit_compile_asked_for
        return config

    def compile_from_config(self, config):
        # Keras does not where `compile` is overridden.
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.optimizer is not None and self.built:
            self.optimizer.build(self.trainable_variables)
