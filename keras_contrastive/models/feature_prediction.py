"""Features and projections of images, from a model that is trained."""

import numpy as np
from keras import ops

from keras_contrastive.models import batch_columns
from keras_contrastive.models import inputs as model_inputs

# That of keras.Model.predict.
KERAS_BATCH_SIZE = 32


class FeaturePrediction:
    """What a model does to give features; part of all models.

    `predict` is that of keras.Model, for images that have been checked, and
    on any number of replicas.
    """

    def predict(
        self, x, batch_size=None, verbose="auto", steps=None, callbacks=None
    ):
        """Features of images in inference mode; as keras.Model.predict.

        Args:
            x: as in keras.Model.predict; arrays must be uint8, or float in
                [0, 1].
            batch_size: int, 32 by default, on several replicas 256 in all.
            verbose: as in keras.Model.predict.
            steps: as in keras.Model.predict.
            callbacks: as in keras.Model.predict.

        Returns:
            Array `(N, dim)`.

        Raises:
            ValueError: for arrays that are no images or out of range.
        """
        self.check_images(x)
        options = {"verbose": verbose, "callbacks": callbacks}
        if batch_size is None and self.num_replicas == 1:
            batch_size = KERAS_BATCH_SIZE
        batches = model_inputs.evaluation(
            x, None, batch_size, drop_remainder=False
        )
        if not model_inputs.are_batches(batches):
            return super().predict(batches, steps=steps, **options)
        # No image knows of others here, so any size of a batch will do.
        rest = -batches.batch_size % self.num_replicas
        if rest:
            batches = batches.resized(batches.batch_size + rest)
        data, all_steps = self.fed(batches, fill_up=True, to_predict=True)
        outputs = super().predict(data, steps=steps or all_steps, **options)
        # What filled up the last batch goes.
        return outputs[: batches.num_images]

    def predict_projections(self, features, batch_size=None):
        """Projections of what `predict` gave, by the same branch.

        Args:
            features: float array `(N, dim)`.
            batch_size: int, rows at a time; 256 by default.

        Returns:
            Array `(N, dim)`; the features, if there is no projector.
        """
        size = batch_size or model_inputs.DEFAULT_BATCH_SIZE
        parts = [
            self.project(features[start : start + size])
            for start in range(0, len(features), size)
        ]
        return np.concatenate([ops.convert_to_numpy(each) for each in parts])

    def check_images(self, x):
        """Refuses arrays that `fit` would refuse; what else there is, passes.

        Args:
            x: what `predict` takes.

        Raises:
            ValueError: for arrays that are no images, out of range, or not
                of the shape that the encoder takes.
        """
        model_inputs.check_images(x)
        columns = x.columns if model_inputs.are_batches(x) else x
        if not isinstance(columns, dict):
            columns = {"images": columns}
        if isinstance(columns["images"], np.ndarray):
            batch_columns.check_prediction(self, columns)
