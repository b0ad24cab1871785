"""A folder of many images: what it takes to decode, open and read them.

    python -m benchmarks.image_folder --files=50000

Writes JPEG files of different sizes, in ten class folders, where temporary
files go; they are decoded once into a memory map, which is opened again and
read in shuffled batches, from the system's cache as far as it reaches. Memory
is the most that the process has held until then, pages of the map and Keras
with its backend included.
"""

import pathlib
import tempfile
import time

from absl import app
from absl import flags

from benchmarks import measure

FLAGS = flags.FLAGS
flags.DEFINE_integer("files", 2000, "Images.", lower_bound=20)
flags.DEFINE_integer("image_size", 96, "Side in pixels.", lower_bound=1)
flags.DEFINE_integer("batch_size", 256, "Images a batch.", lower_bound=1)

CLASSES = 10
LARGEST = 200


def write(folder, count):
    """Writes images of up to 200 pixels a side.

    Args:
        folder: pathlib.Path.
        count: int, files.
    """
    import numpy as np
    from PIL import Image

    for label in range(CLASSES):
        (folder / f"class_{label}").mkdir()
    # Smooth as photographs are: noise would be all that decoding is about.
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 256, (64, 8, 8, 3), dtype="uint8")
    smooth = [
        Image.fromarray(each).resize(
            (LARGEST, LARGEST), Image.Resampling.BICUBIC
        )
        for each in coarse
    ]
    for number in range(count):
        width, height = generator.integers(64, LARGEST + 1, 2)
        image = smooth[number % len(smooth)].crop((0, 0, width, height))
        name = f"class_{number % CLASSES}/{number:06d}.jpg"
        image.save(folder / name, quality=85)


def main(_):
    """Prints the table."""
    from keras_contrastive import data

    print(measure.machine("keras", "pillow", "numpy"))
    print("\n| ours | images | s | images/s | memory, GiB |")
    print("| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        write(pathlib.Path(folder), FLAGS.files)

        def load():
            return data.load(f"folder:{folder}", image_size=FLAGS.image_size)

        _row("decoding", FLAGS.files, load)
        _row("opening", FLAGS.files, load)
        images = load().train.images
        batches = data.batches(images, min(FLAGS.batch_size, len(images)))

        def epoch():
            for index in range(len(batches)):
                batches[index]

        _row("an epoch of batches", batches.num_images, epoch)


def _row(name, count, run):
    start = time.perf_counter()
    run()
    seconds = time.perf_counter() - start
    print(
        f"| {name} | {count:,} | {seconds:.2f} | {count / seconds:,.0f} "
        f"| {measure.peak_memory() / 2**30:.2f} |",
        flush=True,
    )


if __name__ == "__main__":
    app.run(main)
