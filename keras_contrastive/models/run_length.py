"""How long a run is, for layers that change over it."""

import keras

from keras_contrastive.layers.batch_renormalization import BatchRenormalization


class RunLength(keras.callbacks.Callback):
    """Tells batch renormalization how many steps the run has.

    Where an epoch's steps are not known beforehand, as of a generator,
    nothing is told.
    """

    def on_train_begin(self, logs=None):
        if self.params["steps"] is None:
            return
        run_steps = self.params["epochs"] * self.params["steps"]
        for layer in self.model._flatten_layers():
            if isinstance(layer, BatchRenormalization):
                layer.scale_ramp(run_steps)
