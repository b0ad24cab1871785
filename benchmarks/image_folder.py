"""A folder of many images: what it takes to decode, open and read them.

    python -m benchmarks.image_folder --files=50000

Writes JPEG files of different sizes, in ten class folders, where temporary
files go; they are decoded once into a memory map, which is opened again and
read in shuffled batches. Memory is the most that the process has held until
then, pages of the map included.
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

    print(measure.machine("pillow", "numpy"))
    with tempfile.TemporaryDirectory() as folder:
        write(pathlib.Path(folder), FLAGS.files)

        def load():
            return data.load(f"folder:{folder}", image_size=FLAGS.image_size)

        def epoch():
            images = load().train.images
            size = min(FLAGS.batch_size, len(images))
            batches = data.batches(images, size)
            for index in range(len(batches)):
                batches[index]["images"].sum()

        print("\n| ours | s | images/s | memory, GiB |")
        print("| --- | --- | --- | --- |")
        for name, run in (
            ("decoding", load),
            ("opening", load),
            ("an epoch of batches", epoch),
        ):
            start = time.perf_counter()
            run()
            seconds = time.perf_counter() - start
            print(
                f"| {name} | {seconds:.2f} | {FLAGS.files / seconds:,.0f} "
                f"| {measure.peak_memory() / 2**30:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    app.run(main)
