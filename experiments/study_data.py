"""Which images the study trains on, chooses by, and is judged by."""

import dataclasses

import numpy as np

from experiments.joined_images import JoinedImages
from keras_contrastive import data

# The partition and the splits are the study's, not a run's: runs of all
# seeds share them, so that seeds differ by training alone.
DATA_SEED = 0
# Bytes of training and test images that are joined in memory.
LARGEST_JOINED = 2**29


@dataclasses.dataclass(frozen=True)
class Part:
    """Some of a dataset's images, by index; nothing is copied.

    Attributes:
        images: anything with a length and integer-array indexing.
        labels: int array, one label for each of all `images`, or None.
        indices: int array, which images belong to this part.
    """

    images: object
    labels: np.ndarray | None
    indices: np.ndarray

    def __len__(self):
        return len(self.indices)

    @property
    def own_labels(self):
        """The labels of this part's images, or None."""
        return None if self.labels is None else self.labels[self.indices]

    def sample(self, count, seed=DATA_SEED):
        """A part of at most `count` images, chosen by seed."""
        if count >= len(self):
            return self
        generator = np.random.default_rng(seed)
        chosen = generator.choice(len(self), count, replace=False)
        return dataclasses.replace(self, indices=np.sort(self.indices[chosen]))

    def load(self):
        """This part's images in memory, `(count, H, W, C)`."""
        return self.images[self.indices]

    def batches(self, batch_size=500):
        """All images of this part in their order, for `predict`."""
        return data.batches(
            self.images,
            min(batch_size, len(self)),
            indices=self.indices,
            order="sequential",
            drop_remainder=False,
        )


@dataclasses.dataclass(frozen=True)
class StudyData:
    """A dataset, cut for the study.

    Attributes:
        name: the dataset's name.
        class_names: tuple of str, or None without labels.
        train: Part to train on.
        validation: Part to choose by; of a full split some of `train`.
        test: Part to judge by, at the end.
        balanced: Part, `train` as it was before a long tail was drawn of it.
        subset_ids: int array, the subset of each of `train`'s images; None
            where there are no subsets.
        random_ids: int array, a second partition, independent of the first;
            None where there are no subsets.
        index_hash: str, the same wherever the same images are chosen.
    """

    name: str
    class_names: tuple | None
    train: Part
    validation: Part
    test: Part
    balanced: Part
    subset_ids: np.ndarray | None
    random_ids: np.ndarray | None
    index_hash: str

    @property
    def validation_is_seen(self):
        """Whether there is training on what should be for validation."""
        return len(self.bank) < len(self.train)

    @property
    def bank(self):
        """Training images that are not among those for validation."""
        indices = self.train.indices
        apart = ~np.isin(indices, self.validation.indices)
        return dataclasses.replace(self.train, indices=indices[apart])

    @property
    def num_classes(self):
        """Classes of all images together, or None without labels."""
        if self.train.labels is None:
            return None
        labels = np.concatenate([self.train.labels, self.test.labels])
        return len(np.unique(labels))

    @property
    def class_counts(self):
        """Training images of each class, or None without labels."""
        labels = self.train.own_labels
        return None if labels is None else np.bincount(
            labels, minlength=self.num_classes
        )  # fmt: skip

    def summary(self):
        """What a run's record says of its data."""
        return {
            "name": self.name,
            "train": len(self.train),
            "validation": len(self.validation),
            "test": len(self.test),
            "num_classes": self.num_classes,
            "class_names": self.class_names,
            "index_hash": self.index_hash,
        }


def load(
    dataset, data_dir, image_size, data_split, num_subsets=None, imbalance=1.0
):
    """Loads a dataset and cuts it into parts and subsets.

    Args:
        dataset: str, the name of a source, as in `data.load`.
        data_dir: str or None, where tensorflow-datasets keeps its data.
        image_size: int, side of a folder's images in pixels.
        data_split: `"standard"`, `"full"` or `"source"`.
        num_subsets: int, subsets of the training images; None for none.
        imbalance: float >= 1, the largest class of the training images
            divided by the smallest; other parts stay as they are.

    Returns:
        StudyData.

    Raises:
        ValueError: too few images, an imbalance of images without labels, and
            as `data.load`.
    """
    is_folder = dataset.startswith("folder:")
    loaded = data.load(
        dataset,
        data_dir=data_dir,
        image_size=image_size if is_folder else None,
    )
    loaded = _with_plain_labels(loaded)
    if data_split == "source":
        parts = _source_parts(loaded)
    else:
        parts = _standard_parts(loaded, full=data_split == "full")
    _check_sizes(dataset, parts)
    train = _long_tail(parts[0], imbalance)
    subset_ids = random_ids = None
    if num_subsets is not None:
        labels = _or_count(train.own_labels, len(train))
        subset_ids = data.partition(labels, num_subsets, seed=DATA_SEED)
        random_ids = data.partition(labels, num_subsets, seed=DATA_SEED + 1)
    return StudyData(
        name=dataset,
        class_names=loaded.class_names,
        train=train,
        validation=parts[1],
        test=parts[2],
        balanced=parts[0],
        subset_ids=subset_ids,
        random_ids=random_ids,
        index_hash=data.index_hash(
            *(part.indices for part in (train, *parts[1:])),
            *([] if subset_ids is None else [subset_ids]),
        ),
    )


def _check_sizes(dataset, parts):
    """Refuses a part without pairs of images, of which figures are made."""
    for name, part in zip(("training", "validation", "test"), parts):
        if len(part) < 2:
            raise ValueError(
                f"{dataset} must give at least two {name} images, received "
                f"{len(part)}; of what a part is not given, a tenth is held "
                "out."
            )


def _with_plain_labels(loaded):
    """Labels as 0 to C - 1, of all parts or of none."""
    parts = (loaded.train, loaded.test)
    if len({part.labels is None for part in parts}) > 1:
        raise ValueError(
            f"{loaded.name} has labels of its training images or of its test "
            "images only; give both, or neither."
        )
    if loaded.train.labels is None:
        return loaded
    classes = np.unique(np.concatenate([part.labels for part in parts]))
    if np.array_equal(classes, np.arange(len(classes))):
        return loaded
    train, test = (
        dataclasses.replace(part, labels=np.searchsorted(classes, part.labels))
        for part in parts
    )
    names = loaded.class_names
    if names is not None:
        names = tuple(names[each] for each in classes)
    return dataclasses.replace(
        loaded, train=train, test=test, class_names=names
    )


def _standard_parts(loaded, full):
    """A tenth of the training images to choose by; the test set as it is.

    With `full`, what is to choose by is among what is trained on.
    """
    pool, test = loaded.train, loaded.test
    labels = _or_count(pool.labels, len(pool.images))
    train, validation = data.split(labels, (0.9, 0.1), seed=DATA_SEED)
    if full:
        train = np.arange(len(pool.images))
    return (
        Part(pool.images, pool.labels, train),
        Part(pool.images, pool.labels, validation),
        Part(test.images, test.labels, np.arange(len(test.images))),
    )


def _source_parts(loaded):
    """All images in shares of 80, 10 and 10 %."""
    parts = loaded.train.images, loaded.test.images
    size = sum(each.nbytes for each in parts)
    # An array goes to an accelerator as it is.
    join = np.concatenate if size <= LARGEST_JOINED else JoinedImages
    images = join(parts)
    labels = None
    if loaded.train.labels is not None:
        labels = np.concatenate([loaded.train.labels, loaded.test.labels])
    shares = data.split(
        _or_count(labels, len(images)), (0.8, 0.1, 0.1), seed=DATA_SEED
    )
    return tuple(Part(images, labels, indices) for indices in shares)


def _long_tail(part, imbalance):
    """Fewer images of the later classes."""
    if imbalance == 1:
        return part
    if part.labels is None:
        raise ValueError(
            f"--imbalance={imbalance:g} needs labels, which the images lack; "
            "leave it out."
        )
    kept = data.long_tail(part.own_labels, imbalance, seed=DATA_SEED)
    return dataclasses.replace(part, indices=part.indices[kept])


def _or_count(labels, count):
    return count if labels is None else labels
