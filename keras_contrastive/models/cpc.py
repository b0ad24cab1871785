"""CPC: from the upper rows of an image, tell the lower ones apart.

image -> patches on a grid -> features z of each patch
      -> contexts c, of the rows above and one's own
      -> for k = 1 .. steps: W_k c_(r, column) must find z_(r + k, column)
"""

import keras
from keras import ops

from keras_contrastive.layers.causal_context import causal_context
from keras_contrastive.layers.patches import Patches
from keras_contrastive.losses.bilinear_info_nce import bilinear_scores
from keras_contrastive.losses.bilinear_info_nce import rows_of_scores
from keras_contrastive.models.contrastive_model import ContrastiveModel


@keras.saving.register_keras_serializable(package="keras_contrastive")
class CPC(ContrastiveModel):
    """CPC: contrastive predictive coding of images.

    A view of each image is cut into overlapping patches on a grid, which go
    through the patch encoder in one pass. A context network runs over the
    grid from the top down, and from the context of each patch a linear map
    `W_k` for each k predicts the features of the patch k rows below. The
    prediction must find them among all patches of the batch: those of other
    images, and those of its own that are elsewhere. The loss is the mean
    over all predictions of all k.

    Features of an image, as `predict` gives them, are the mean of the
    features of its patches. `encoder` is this model of whole images, and
    `patch_encoder` the one of patches.

    A step compares about as many predictions with as many patches, so that
    memory grows with the square of images times patches: the default grid of
    3 x 3 bears 256 images, one of 7 x 7 is better off with 64 or fewer.

    Batch normalization in the patch encoder lets the patches of a batch know
    of each other, those below included; the paper's encoder has none. Groups
    of channels are normalized by `encoders.two_conv((16, 16, 3),
    normalization="group")`.

    Args:
        encoder: keras.Model from one patch `(N, patch_size, patch_size, C)`
            in [0, 1] to features `(N, dim)`.
        image_shape: tuple of ints, (height, width, channels) of the views.
        patch_size: int, height and width of a patch in pixels.
        stride: int, pixels from one patch to the next; half the patch by
            default. Patches of 8 pixels on images of 32 are a grid of 7 x 7,
            the paper's geometry (64 of 256), of 16 pixels one of 3 x 3.
        context: `"gru"`, `"conv"` (see `layers.causal_context`), or a
            keras.Model from features `(N, rows, columns, dim)` to contexts
            `(N, rows, columns, any)`, in which a row must not see what is
            below it.
        steps: int, how many rows below are predicted; less than the rows of
            the grid. The paper predicts 5 of 7.
        views: a policy's name, a policy of `views.policy`, or a tuple of
            them. The views keep the images' size.
        num_views: int, views of an image in a batch. One is enough: nothing
            compares two.
        **kwargs: as in `ContrastiveModel`, but for `projector`: the loss sees
            the features.

    Raises:
        ValueError: for patches larger than the image, a grid too small for
            `steps`, an encoder that does not take such patches, an unknown
            context, or as in `ContrastiveModel`.

    Example:

    ```python
    encoder = encoders.two_conv((16, 16, 3), normalization="group")
    model = CPC(encoder, image_shape=(32, 32, 3), patch_size=16, steps=2)
    model.compile(optimizer=keras.optimizers.Adam(1e-3))
    model.fit(images, batch_size=256, epochs=10)
    features = model.predict(images)
    ```

    Reference:
        van den Oord et al. 2018, section 3.3,
        https://arxiv.org/abs/1807.03748
    """

    metric_names = ("contrastive_accuracy",)
    least_images = 1
    least_views = 1

    def __init__(
        self,
        encoder,
        image_shape=(32, 32, 3),
        patch_size=16,
        stride=None,
        context="gru",
        steps=2,
        views="weak",
        num_views=1,
        **kwargs,
    ):
        patches = Patches(patch_size, stride, name="patches")
        grid_shape = patches.grid_shape(*image_shape[:2])
        _check_steps(steps, grid_shape)
        _check_patch_encoder(encoder, (patch_size, patch_size, image_shape[2]))
        grid_encoder = _grid_encoder(encoder, patches, image_shape)
        super().__init__(
            _image_encoder(grid_encoder),
            projector=None,
            views=views,
            num_views=num_views,
            **kwargs,
        )
        self.image_shape = tuple(image_shape)
        self.patch_size = patches.size
        self.stride = patches.stride
        self.patch_encoder = encoder
        self.grid_encoder = grid_encoder
        self.context = _context(context, grid_encoder.output_shape[1:])
        self.predictors = _predictors(
            steps, self.context.output_shape[-1], encoder.output_shape[-1]
        )

    def contrastive_step(self, batch, training):
        grid = self.grid_encoder(batch["views"], training=training)
        grid = self._image_major(grid)  # (N * V, rows, columns, dim)
        contexts = self.context(grid, training=training)
        places = self._places(batch, grid)
        candidates = _as_rows(self.gathered(grid), grid.shape[-1])
        rows, accuracy = [], []
        for k, predict in enumerate(self.predictors, 1):
            scores, positives = bilinear_scores(
                predict(_as_rows(contexts[:, :-k], contexts.shape[-1])),
                _as_rows(grid[:, k:], grid.shape[-1]),
                candidates=candidates,
                positions=ops.reshape(places[:, k:], (-1,)),
            )
            rows.append(rows_of_scores(scores, positives))
            first = positives >= ops.max(scores, axis=1)
            accuracy.append(ops.cast(first, "float32"))
        figures = {"contrastive_accuracy": ops.concatenate(accuracy)}
        return ops.concatenate(rows), None, figures

    def rows_per_image(self, columns):
        down, across = self.grid_encoder.output_shape[1:3]
        return self.num_views * down * across

    def _image_major(self, stacked):
        """Brings the views of an image together, whatever `view_order`."""
        views = ops.stack(self.each_view(stacked), axis=1)
        return ops.reshape(views, (-1, *stacked.shape[1:]))

    def _places(self, batch, grid):
        """Where each patch stands among those of the whole batch."""
        rows, columns = grid.shape[1:3]
        count = self.num_views * rows * columns
        within = ops.arange(count, dtype="int32")
        places = self.places(batch)[:, None] * count + within
        return ops.reshape(places, (-1, rows, columns))

    def get_config(self):
        config = super().get_config()
        del config["projector"]
        serialize = keras.saving.serialize_keras_object
        return {
            **config,
            "encoder": serialize(self.patch_encoder),
            "image_shape": list(self.image_shape),
            "patch_size": self.patch_size,
            "stride": self.stride,
            "context": serialize(self.context),
            "steps": len(self.predictors),
        }

    @classmethod
    def from_config(cls, config):
        context = keras.saving.deserialize_keras_object(config["context"])
        return super().from_config({**config, "context": context})


def _grid_encoder(encoder, patches, image_shape):
    """Images to the features of their patches, `(N, rows, columns, dim)`."""
    images = keras.Input(tuple(image_shape), name="images")
    x = patches(images)
    grid_shape, patch_shape = x.shape[1:3], x.shape[3:]
    x = encoder(ops.reshape(x, (-1, *patch_shape)))
    x = ops.reshape(x, (-1, *grid_shape, x.shape[-1]))
    return keras.Model(images, x, name="grid_encoder")


def _image_encoder(grid_encoder):
    """Images to the mean of the features of their patches, `(N, dim)`."""
    pool = keras.layers.GlobalAveragePooling2D(name="features")
    images = grid_encoder.input
    return keras.Model(images, pool(grid_encoder.output), name="encoder")


def _context(context, shape):
    """The context network over a grid of `(rows, columns, dim)`."""
    if isinstance(context, str):
        return causal_context(context, shape[:2], shape[2])
    if tuple(context.output_shape)[:-1] != (None, *shape[:2]):
        raise ValueError(
            "`context` must give one vector for each patch of the grid, "
            f"(batch, {shape[0]}, {shape[1]}, units), received the output "
            f"shape {context.output_shape}."
        )
    return context


def _predictors(steps, units, dim):
    """The maps W_k, from contexts of `units` to features of `dim`."""
    predictors = []
    for k in range(1, steps + 1):
        predictor = keras.layers.Dense(
            dim, use_bias=False, name=f"prediction_{k}"
        )
        predictor.build((None, units))
        predictors.append(predictor)
    return predictors


def _as_rows(values, dim):
    return ops.reshape(values, (-1, dim))


def _check_steps(steps, grid_shape):
    rows, columns = grid_shape
    if not 1 <= steps < rows:
        raise ValueError(
            "`steps` must be at least 1 and less than the rows of the grid, "
            f"received {steps} for a grid of {rows} x {columns} patches; "
            "smaller patches or strides make a larger grid."
        )


def _check_patch_encoder(encoder, patch_shape):
    inputs = getattr(encoder, "inputs", None) or ()
    if len(inputs) > 1:
        raise ValueError(
            "`encoder` must have patches as its only input, received one "
            f"with {len(inputs)}; patches have no split ids, "
            "`SplitBatchNormalization(assignment='contiguous')` needs none."
        )
    found = tuple(inputs[0].shape[1:]) if inputs else ()
    output = tuple(encoder.outputs[0].shape) if inputs else ()
    fits = len(found) == 3 and all(
        size in (None, wanted) for size, wanted in zip(found, patch_shape)
    )
    if not fits or len(output) != 2:
        raise ValueError(
            "`encoder` must be a model from patches of the shape "
            f"{patch_shape} to feature vectors (batch, dim), received one "
            f"from {found} to {output}; its input is a patch, not an "
            "image."
        )
