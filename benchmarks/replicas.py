"""Training on one device and on several: images a second, and what it costs.

    python -m benchmarks.replicas

SimCLR with the default network and synchronized batch normalization, from
given images to updates, the same global batch on one, two and four devices
and on two worker processes. Without GPUs, devices are parts of this processor
by name only: all share the same cores, nothing can get faster, and what is
lost is the price of being several. The collectives of a step are read from
its graph, with the bytes that each moves by a ring, and run once more with
nothing between them, which is the most that they can take of a step's time.
"""

import json
import os
import re
import statistics
import subprocess
import sys

import keras
import numpy as np
from absl import app
from absl import flags

from benchmarks import measure
from experiments import launch
from keras_contrastive import data
from keras_contrastive import distribution
from keras_contrastive import encoders
from keras_contrastive import models
from keras_contrastive.distribution.feed import feed

try:
    import tensorflow as tf
except ImportError:
    # `main` says so, in a sentence.
    tf = None

FLAGS = flags.FLAGS
flags.DEFINE_integer(
    "batch_size", 512, "Images of the global batch.", lower_bound=4
)
flags.DEFINE_integer("size", 32, "Side of an image in pixels.", lower_bound=8)
flags.DEFINE_integer("steps", 3, "Updates a run.", lower_bound=1)
flags.DEFINE_integer("runs", 5, "Rounds that count.", lower_bound=1)
flags.DEFINE_list("devices", ["1", "2", "4"], "Numbers of devices to try.")
flags.DEFINE_bool("worker", False, "Whether this is one of the workers.")

COLLECTIVES = re.compile("Collective(Reduce|Gather)")


class Training:
    """Updates of a model under a strategy, and their collectives alone.

    Args:
        strategy: tf.distribute.Strategy.
    """

    def __init__(self, strategy):
        self.strategy = strategy
        shape = (FLAGS.size, FLAGS.size, 3)
        with strategy.scope():
            keras.utils.set_random_seed(0)
            encoder = encoders.two_conv(shape, normalization="synchronized")
            self.model = models.SimCLR(encoder, projector="linear")
            self.model.compile(keras.optimizers.SGD(0.1), jit_compile=False)
            self.model.optimizer.build(self.model.trainable_variables)
        generator = np.random.default_rng(0)
        images = generator.integers(0, 256, (2 * FLAGS.batch_size, *shape))
        batches = data.batches(images.astype("uint8"), FLAGS.batch_size)
        self.batches = iter(feed(batches, strategy)[0])
        self.step = tf.function(
            lambda batch: strategy.run(self.model.train_step, args=(batch,)),
            autograph=False,
        )
        graph = self.step.get_concrete_function(next(self.batches)).graph
        self.found = [
            (kind, dtype, self._known(kind, shape))
            for kind, dtype, shape in collectives_of(
                graph.as_graph_def(add_shapes=True)
            )
        ]
        self.replay = tf.function(
            lambda: strategy.run(self._collectives), autograph=False
        )

    def update(self):
        """Makes the updates of one run."""
        for _ in range(FLAGS.steps):
            logs = self.step(next(self.batches))
        self._wait(logs["loss"])

    def exchange(self):
        """Exchanges what the updates of one run do, and nothing else."""
        for _ in range(FLAGS.steps):
            sums = self.replay()
        self._wait(sums)

    def exchanged(self):
        """How many collectives a step has, and what a replica moves by a ring.

        Returns:
            Tuple of int, and int in bytes.
        """
        replicas = self.strategy.num_replicas_in_sync
        moved = 0.0
        for kind, dtype, shape in self.found:
            size = int(np.prod(shape)) * tf.as_dtype(dtype).size
            # A sum goes around twice, in parts; what is gathered, once.
            parts = 2 / replicas if kind == "Reduce" else 1
            moved += parts * size * (replicas - 1)
        return len(self.found), int(moved)

    def _known(self, kind, shape):
        """A shape that the graph lacks: gathering projections forgets it."""
        if -1 not in shape or not shape:
            return shape
        dim = self.model.projector.output_shape[-1]
        if kind == "Reduce":
            # The gradient of all rows, flat.
            return (FLAGS.batch_size * dim,)
        return FLAGS.batch_size // self.strategy.num_replicas_in_sync, dim

    def _collectives(self):
        context = tf.distribute.get_replica_context()
        total = tf.zeros(())
        for kind, dtype, shape in self.found:
            share = tf.identity(tf.zeros(shape, dtype))
            if kind == "Reduce":
                result = context.all_reduce("SUM", share)
            elif tf.as_dtype(dtype).is_floating:
                result = context.all_gather(share, axis=0)
            else:
                # TensorFlow asks for shapes before it gathers, here too.
                continue
            total += tf.cast(tf.reduce_sum(result), "float32")
        return total

    def _wait(self, values):
        for each in self.strategy.experimental_local_results(values):
            each.numpy()


def collectives_of(graph_def):
    """The collectives of one replica's step.

    Args:
        graph_def: with shapes.

    Returns:
        List of (kind, dtype, shape of what a replica gives).
    """
    nodes = list(graph_def.node)
    for function in graph_def.library.function:
        nodes += function.node_def
    shapes = {
        node.name: node.attr["_output_shapes"].list.shape for node in nodes
    }
    found = {}
    for node in nodes:
        match = COLLECTIVES.match(node.op)
        if match is None:
            continue
        shape = shapes[node.input[0].partition(":")[0]][0]
        sizes = tuple(each.size for each in shape.dim)
        if shape.unknown_rank:
            sizes = (-1, -1)
        entry = match.group(1), node.attr["T"].type, sizes
        found.setdefault(node.device, []).append(entry)
    return next(iter(found.values()), [])


class Workers:
    """Two processes that train together, told what to do line by line."""

    def __init__(self):
        options = ("batch_size", "size", "steps")
        self.processes = [
            subprocess.Popen(
                [
                    *(sys.executable, "-m", "benchmarks.replicas", "--worker"),
                    *(f"--{name}={FLAGS[name].value}" for name in options),
                ],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            for environment in launch.environments(2)
        ]
        self.exchanged = self._replies()

    def tell(self, word):
        """Has all do one thing, and waits until they have.

        Args:
            word: str, `"update"` or `"exchange"`.
        """
        for process in self.processes:
            process.stdin.write(f"{word}\n")
            process.stdin.flush()
        self._replies()

    def end(self):
        """Ends the processes."""
        for process in self.processes:
            process.stdin.close()
        for process in self.processes:
            process.wait()

    def _replies(self):
        replies = [each.stdout.readline() for each in self.processes]
        return json.loads(replies[0])


def serve():
    """What a worker does: as it is told."""
    training = Training(distribution.strategy("multi_worker"))
    print(json.dumps(training.exchanged()), flush=True)
    for line in sys.stdin:
        getattr(training, line.strip())()
        print("0", flush=True)


def main(_):
    """Prints the tables."""
    if tf is None or keras.backend.backend() != "tensorflow":
        found = "it cannot be imported" if tf is None else (
            f"the backend is {keras.backend.backend()}"
        )  # fmt: skip
        sys.exit(f"Replicas of tf.distribute need TensorFlow, and {found}.")
    if FLAGS.worker:
        return serve()
    print(measure.machine("keras", "tensorflow"))
    gpus = tf.config.list_physical_devices("GPU")
    # Workers would take the GPUs from this process.
    workers = None if gpus else Workers()
    candidates, exchanged = {}, {}
    for name, training in trainings(len(gpus)).items():
        exchanged[name] = training.exchanged()
        candidates[name] = training.update
        if training.strategy.num_replicas_in_sync > 1:
            candidates[f"{name}, collectives alone"] = training.exchange
    if workers:
        name = "2 workers"
        exchanged[name] = workers.exchanged
        candidates[name] = lambda: workers.tell("update")
        candidates[f"{name}, collectives alone"] = lambda: workers.tell(
            "exchange"
        )
    seconds = measure.alternate(candidates, FLAGS.runs)
    if workers:
        workers.end()
    images = FLAGS.batch_size * FLAGS.steps
    updates = {name: seconds[name] for name in exchanged}
    print(measure.table(updates, images, "images"))
    print()
    print(exchange_table(exchanged, seconds))


def trainings(num_gpus):
    """A training on each number of devices that there are, by name."""
    numbers = [int(each) for each in FLAGS.devices]
    if num_gpus:
        numbers = [number for number in numbers if number <= num_gpus]
        devices = [f"GPU:{index}" for index in range(num_gpus)]
    else:
        devices = distribution.logical_cpus(max(numbers))
    return {
        f"{number} devices" if number > 1 else "ours, one device": Training(
            strategy_on(devices[:number])
        )
        for number in numbers
    }


def strategy_on(devices):
    """A strategy on some of the logical devices of this process."""
    if len(devices) == 1:
        return distribution.strategy("one_device", devices)
    # Strategies of different sizes must not share keys of collectives.
    tf.distribute.MirroredStrategy._collective_key_base += 100
    return distribution.strategy("mirrored", devices)


def exchange_table(exchanged, seconds):
    """What replicas exchange in a step, and the time it takes at most."""
    rows = [
        [
            "replicas",
            "collectives a step",
            "MB a replica moves",
            "share of time",
        ],
        ["---"] * 4,
    ]
    for name, (count, moved) in exchanged.items():
        alone = seconds.get(f"{name}, collectives alone")
        if alone is None:
            continue
        shares = [a / b for a, b in zip(alone, seconds[name])]
        rows.append(
            [
                name,
                str(count),
                f"{moved / 1e6:.2f}",
                f"at most {statistics.median(shares):.2f}",
            ]
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    app.run(main)
