"""Writes a dataset as .npz files, for machines without TensorFlow or network.

    python -m experiments.npz_parts --data_dir=DIR --output_dir=data

writes CIFAR-10 as data/cifar10_00.npz and so on, each of at most --part_mib,
for --dataset='npz:data/cifar10_*.npz' of the other scripts: the same images
with the same labels in the same order, uncompressed.
"""

import pathlib

from absl import flags

from experiments import command_line

flags.DEFINE_string(
    "dataset", "cifar10", "What to write: digits, cifar10 or folder:PATH."
)
flags.DEFINE_string(
    "data_dir", None, "Where tensorflow-datasets keeps or puts CIFAR-10."
)
flags.DEFINE_string("output_dir", "data", "Folder for the files.")
flags.DEFINE_integer(
    "part_mib", 48, "MiB that a file has at most.", lower_bound=1
)


def main():
    """Writes what the flags ask for."""
    values = flags.FLAGS
    with command_line.silenced_libraries():
        from experiments import npz_files
        from keras_contrastive import data
    with command_line.refusals((ValueError, OSError, ImportError)):
        loaded = data.load(values.dataset, data_dir=values.data_dir)
        stem = values.dataset.partition(":")[0]
        folder = pathlib.Path(values.output_dir)
        paths = npz_files.write(loaded, folder, stem, values.part_mib * 2**20)
    for path in paths:
        print(f"{path}  {path.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    command_line.run(main, __doc__)
