"""What the benchmarks of training share: ours, and the table.

With the default network: a linear projector, temperature 0.2, Adam. With
ResNet-18: the settings of lightly's CIFAR-10 benchmark, that is a projector
of 512, 512 and 128 units, normalized twice, temperature 0.5, and SGD.
"""

import statistics

import keras
import numpy as np
from absl import flags

from benchmarks import device
from benchmarks import measure
from benchmarks import operations
from keras_contrastive import data
from keras_contrastive import encoders
from keras_contrastive import layers
from keras_contrastive import models
from keras_contrastive import optimizers

FLAGS = flags.FLAGS
flags.DEFINE_enum("encoder", "two_conv", ["two_conv", "resnet18"], "Network.")
flags.DEFINE_enum(
    "precision", "float32", ["float32", "mixed_bfloat16"], "Keras dtype policy."
)
flags.DEFINE_integer(
    "batch_size", 500, "Images a batch, of two views each.", lower_bound=2
)
flags.DEFINE_integer("size", 32, "Side of the images in pixels.", lower_bound=1)
flags.DEFINE_integer("epochs", 1, "Epochs a run.", lower_bound=1)
flags.DEFINE_integer("splits", 10, "Splits of split normalization.")
flags.DEFINE_integer(
    "steps_per_execution",
    1,
    "Steps of ours in one compiled call. On JAX a number that does not divide "
    "those of an epoch takes a second compilation.",
    lower_bound=1,
)
flags.DEFINE_integer("runs", 5, "Rounds that count.", lower_bound=1)


class Training:
    """Epochs of SimCLR by `fit`; each call is one run.

    Args:
        images: array `(count, height, width, channels)`.
        views: a policy or its name; candidates that share a policy compile it
            once where views are compiled by themselves.
        normalization: as encoders take it.
        split_ids: int32 array `(count,)`, or None.
        data_on_device: as `fit` takes it.
        steps_per_execution: int, by default as the flag says.
    """

    def __init__(
        self,
        images,
        views="simclr",
        normalization="batch",
        split_ids=None,
        data_on_device=None,
        steps_per_execution=None,
    ):
        self.batches = data.batches(
            images, FLAGS.batch_size, split_ids=split_ids
        )
        self.data_on_device = data_on_device
        self.model, optimizer = _simclr(images.shape[1:], views, normalization)
        self.model.compile(
            optimizer,
            steps_per_execution=steps_per_execution
            or FLAGS.steps_per_execution,
        )

    @property
    def num_images(self):
        """How many images a run trains on; what fills no batch is left out."""
        return len(self.batches) * FLAGS.batch_size * FLAGS.epochs

    def __call__(self):
        """Trains, until the last update is done."""
        self.model.fit(
            self.batches,
            epochs=FLAGS.epochs,
            verbose=0,
            data_on_device=self.data_on_device,
        )
        # The gradient of the first layer is the last one to be known.
        device.wait(self.model.encoder.trainable_variables[0].value)

    def peak_memory(self):
        """The most bytes of memory that this process ever had."""
        return device.peak_memory()


def start():
    """Applies the flags of this module, and says where we are."""
    device.leave_memory()
    keras.config.set_dtype_policy(FLAGS.precision)
    print(device.machine())


def random_images(count):
    """Decoded images in memory.

    Args:
        count: int.

    Returns:
        uint8 array `(count, size, size, 3)`.
    """
    shape = (count, FLAGS.size, FLAGS.size, 3)
    return np.random.default_rng(0).integers(0, 256, shape, "uint8")


def peer_options():
    """What the peer is to know of these flags.

    Returns:
        Dict from names to values.
    """
    names = "encoder", "precision", "batch_size", "size"
    return {name: FLAGS[name].value for name in names}


def compare(candidates):
    """Times candidates that train one network on as many images; prints it.

    Args:
        candidates: as of `measure.alternate`, a `Training` first.

    Returns:
        Dict from names to lists of seconds.
    """
    first, peaks = measure.first_runs(candidates)
    seconds = measure.alternate(candidates, FLAGS.runs)
    dtype = keras.config.dtype_policy().compute_dtype
    reference = device.matrix_rate(dtype)
    ours = next(iter(candidates.values()))
    images = ours.num_images
    work = operations.of_an_image(ours.model.encoder)
    more = {
        "first run, s more": {},
        "peak GB": {name: f"{peak / 1e9:.2f}" for name, peak in peaks.items()},
        "TFLOP/s": {},
        "share": {},
    }
    for name, values in seconds.items():
        median = statistics.median(values)
        rate = work * images / median
        more["first run, s more"][name] = f"{first[name] - median:.1f}"
        more["TFLOP/s"][name] = f"{rate / 1e12:.3g}"
        more["share"][name] = f"{rate / reference:.2f}"
    print(measure.table(seconds, images, "images", more))
    print(
        f"\nAn image takes {work / 1e9:.3g} GFLOP: two views, forward and "
        "backward, without what normalization takes. The share is of "
        f"{reference / 1e12:.3g} TFLOP/s, at which the device multiplies "
        f"matrices in {dtype}. The peak is the most memory that a candidate's "
        "process had held when its first run ended; ours are one process."
    )
    return seconds


def _simclr(shape, views, normalization):
    """The model, and its optimizer."""
    encoder = getattr(encoders, FLAGS.encoder)(
        input_shape=shape, normalization=normalization
    )
    if FLAGS.encoder == "resnet18":
        temperature = 0.5
        projector = layers.projection_head(
            "mlp",
            encoder.output_shape[-1],
            normalization=normalization,
            normalize_output=True,
        )
        optimizer = optimizers.SGD(
            0.06 * FLAGS.batch_size / 128, momentum=0.9, weight_decay=5e-4
        )
    else:
        temperature = 0.2
        projector = "linear"
        optimizer = keras.optimizers.Adam(2e-3)
    model = models.SimCLR(
        encoder, projector=projector, views=views, temperature=temperature
    )
    return model, optimizer
