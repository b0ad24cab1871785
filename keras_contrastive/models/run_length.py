"""How long a run is, for layers that change over it."""

import warnings

import keras

from keras_contrastive.layers.batch_renormalization import BatchRenormalization


class RunLength(keras.callbacks.Callback):
    """Tells batch renormalization how many steps the run has.

    Where an epoch's steps are not known beforehand, as of a generator, it
    warns that the ramp is the paper's.
    """

    def on_train_begin(self, logs=None):
        waiting = [
            layer
            for layer in self.model._flatten_layers()
            if isinstance(layer, BatchRenormalization)
            and layer.trainable
            and layer.awaits_run
        ]
        if not waiting:
            return
        if self.params["steps"] is None:
            warnings.warn(
                "Batch renormalization takes the paper's 40,000 steps to "
                "open, since nobody says how many steps an epoch has; pass "
                "`steps_per_epoch`, or build the encoder with "
                "BatchRenormalization(ramp_steps=...).",
                stacklevel=2,
            )
            return
        for layer in waiting:
            layer.scale_ramp(self.params["epochs"] * self.params["steps"])
