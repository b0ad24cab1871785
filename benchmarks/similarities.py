"""NT-Xent and its gradient: chunks of rows against the whole matrix.

    python -m benchmarks.similarities --largest=32768

Global batches of 1,024 images (2,048 views), and twice as many each time.
Every candidate is a process of its own, which tells its seconds and its peak
of resident memory; those of one size take turns. A candidate whose memory,
computed beforehand, is more than there is free is not run.
"""

import multiprocessing
import pathlib
import time

from absl import app
from absl import flags

from benchmarks import measure

FLAGS = flags.FLAGS
flags.DEFINE_integer("smallest", 1024, "Images, to begin with.", lower_bound=1)
flags.DEFINE_integer("largest", 4096, "Images, to end with.", lower_bound=1)
flags.DEFINE_integer("chunk_size", 1024, "Rows at a time.", lower_bound=1)
flags.DEFINE_integer("dim", 128, "Length of the projections.", lower_bound=1)
flags.DEFINE_integer("runs", 5, "Rounds that count.", lower_bound=1)
flags.DEFINE_bool("jit_compile", False, "Whether XLA compiles the loss.")

# Bytes of a process before its first run, and how many copies of the rows of
# similarities it holds at once: what was measured, and a reserve.
LIBRARIES = 1e9
COPIES = 5


class Candidate:
    """Loss and gradient by a process of its own; each call is one run.

    Args:
        images: int, the global batch.
        chunk_size: int, or None for the whole matrix.
    """

    def __init__(self, images, chunk_size):
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        arguments = theirs, images, FLAGS.dim, chunk_size, FLAGS.jit_compile
        self.process = context.Process(target=work, args=arguments, daemon=True)
        self.process.start()
        # The end of the process must end the pipe.
        theirs.close()

    def __call__(self):
        """Runs once; returns the seconds that the process measured."""
        self.connection.send("run")
        return self.connection.recv()

    def close(self):
        """Ends the process.

        Returns:
            Bytes of resident memory: the peak before its first run, and the
            peak of all.
        """
        self.connection.send("end")
        peaks = self.connection.recv()
        self.process.join()
        return peaks


def work(connection, images, dim, chunk_size, jit_compile):
    """What a candidate's process does until it is told to end.

    Args:
        connection: where it is told, and answers.
        images: int.
        dim: int.
        chunk_size: int or None.
        jit_compile: bool.
    """
    import numpy as np
    import tensorflow as tf

    from keras_contrastive import losses

    loss = losses.NTXent(temperature=0.2, chunk_size=chunk_size)

    @tf.function(jit_compile=jit_compile)
    def gradient(view_1, view_2):
        value = loss(view_1, view_2)
        return value, *tf.gradients(value, [view_1, view_2])

    generator = np.random.default_rng(0)
    views = [
        tf.constant(generator.normal(size=(images, dim)).astype("float32"))
        for _ in range(2)
    ]
    before = measure.peak_memory()
    while connection.recv() == "run":
        start = time.perf_counter()
        for each in gradient(*views):
            each.numpy()
        connection.send(time.perf_counter() - start)
    connection.send((before, measure.peak_memory()))


def needed(images, chunk_size):
    """Bytes that a candidate's process will hold at most.

    Args:
        images: int.
        chunk_size: int, or None for the whole matrix.

    Returns:
        float.
    """
    rows = 2 * images if chunk_size is None else min(chunk_size, 2 * images)
    return LIBRARIES + COPIES * 4.0 * rows * 2 * images


def available():
    """Bytes that a new process can have; infinite where that is not told."""
    listing = pathlib.Path("/proc/meminfo")
    if listing.exists():
        for line in listing.read_text().splitlines():
            if line.startswith("MemAvailable"):
                return 1024.0 * int(line.split()[1])
    return float("inf")


def compare(images):
    """Prints the table of one size, and the memory.

    Args:
        images: int, the global batch.
    """
    print(f"\n{images:,} images, {2 * images:,} views", flush=True)
    candidates, free = {}, available()
    for name, chunk_size in {
        f"ours, {FLAGS.chunk_size} rows at a time": FLAGS.chunk_size,
        "ours, the whole matrix": None,
    }.items():
        bytes_needed = needed(images, chunk_size)
        if bytes_needed > free:
            print(
                f"{name}: does not fit, needs {bytes_needed / 1e9:.1f} GB of "
                f"{free / 1e9:.1f} GB that are free"
            )
            continue
        free -= bytes_needed
        candidates[name] = Candidate(images, chunk_size)
    if not candidates:
        return
    print(measure.table(measure.alternate(candidates, FLAGS.runs), images))
    for name, candidate in candidates.items():
        before, peak = candidate.close()
        print(
            f"{name}: peak of {peak / 1e9:.2f} GB of memory, "
            f"{(peak - before) / 1e9:.2f} GB above what it began with"
        )


def main(_):
    """Prints a table for each size."""
    print(measure.machine("keras", "tensorflow"))
    images = FLAGS.smallest
    while images <= FLAGS.largest:
        compare(images)
        images *= 2


if __name__ == "__main__":
    app.run(main)
