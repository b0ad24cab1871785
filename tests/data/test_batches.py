"""Batches: what is in them, in which order, and under Keras's `fit`."""

import logging

import keras
import numpy as np
import pytest

from keras_contrastive import data
from keras_contrastive.data import Batches
from keras_contrastive.data import batches

COUNT = 103
NUMBERS = np.arange(COUNT)
# The pixels of image i say i.
IMAGES = np.broadcast_to(NUMBERS[:, None, None, None], (COUNT, 4, 5, 3)).astype(
    np.uint8
)
SUBSETS = NUMBERS % 5


def labels_of(epoch):
    return [batch["labels"].tolist() for batch in epoch]


def test_everything_travels_with_its_image():
    result = batches(
        IMAGES,
        10,
        labels=NUMBERS,
        subset_ids=SUBSETS,
        split_ids=NUMBERS + 1000,
        policy_ids=(NUMBERS * 3).astype("uint16"),
    )
    assert isinstance(result, Batches)
    assert isinstance(result, keras.utils.PyDataset)
    assert len(result) == 10 and result.num_images == 100
    for batch in result:
        assert list(batch) == [
            "images",
            "positions",
            "split_ids",
            "policy_ids",
            "labels",
        ]
        numbers = batch["labels"]
        assert batch["images"].dtype == np.uint8
        assert np.array_equal(batch["images"], IMAGES[numbers])
        assert np.array_equal(batch["split_ids"], numbers + 1000)
        assert np.array_equal(batch["policy_ids"], numbers * 3)
        assert np.array_equal(batch["positions"], np.arange(10))
        for name in ("labels", "split_ids", "policy_ids", "positions"):
            assert batch[name].dtype == np.int32
        # Owned by the batch: what a model does to it stays there.
        assert not np.shares_memory(batch["images"], IMAGES)


def test_images_alone():
    assert list(batches(IMAGES, 10)[0]) == ["images", "positions"]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floats_become_float32(dtype):
    images = (IMAGES / 255).astype(dtype)
    batch = batches(images, 10, order="sequential")[1]
    assert batch["images"].dtype == np.float32
    assert np.array_equal(batch["images"], images[10:20].astype("float32"))


def test_memory_maps_and_lazy_images(tmp_path):
    np.save(tmp_path / "images.npy", IMAGES)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")

    class Lazy:
        def __len__(self):
            return COUNT

        def __getitem__(self, rows):
            return IMAGES[rows]

    for images in (mapped, Lazy()):
        batch = batches(images, 10, labels=NUMBERS)[3]
        assert type(batch["images"]) is np.ndarray
        assert np.array_equal(batch["images"], IMAGES[batch["labels"]])


@pytest.mark.parametrize("order", ["shuffled", "stratified", "homogeneous"])
def test_epochs_differ_and_come_back(order):
    def make(seed):
        return batches(
            IMAGES,
            10,
            labels=NUMBERS,
            subset_ids=SUBSETS,
            order=order,
            seed=seed,
        )

    result = make(2)
    first = labels_of(result)
    result.epoch = 1
    second = labels_of(result)
    assert first != second
    assert sorted(sum(first, [])) != sum(first, [])
    result.epoch = 0
    assert labels_of(result) == first
    fresh = make(2)
    fresh.epoch = 1
    # Any batch in any order of asking.
    assert [fresh[i]["labels"].tolist() for i in (5, 0)] == [
        second[5],
        second[0],
    ]
    assert labels_of(make(3)) != first


def test_stratified_batches_follow_the_subsets():
    for batch in batches(
        IMAGES, 20, labels=NUMBERS, subset_ids=SUBSETS, order="stratified"
    ):
        assert np.array_equal(SUBSETS[batch["labels"]], np.arange(20) % 5)


def test_homogeneous_batches_are_of_one_subset():
    result = batches(
        IMAGES, 10, labels=NUMBERS, subset_ids=SUBSETS, order="homogeneous"
    )
    assert len(result) == 10
    for batch in result:
        assert len(set(SUBSETS[batch["labels"]])) == 1


@pytest.mark.parametrize(
    ("drop_remainder", "sizes"),
    [(True, [10] * 10), (False, [10] * 10 + [3])],
)
@pytest.mark.parametrize("order", ["sequential", "shuffled"])
def test_the_last_partial_batch(order, drop_remainder, sizes):
    result = batches(
        IMAGES, 10, labels=NUMBERS, order=order, drop_remainder=drop_remainder
    )
    found = labels_of(result)
    assert [len(labels) for labels in found] == sizes
    assert len(set(sum(found, []))) == result.num_images == sum(sizes)
    assert result[len(result) - 1]["positions"].tolist() == list(
        range(sizes[-1])
    )
    if order == "sequential":
        assert sum(found, []) == list(range(sum(sizes)))


def test_a_batch_larger_than_all_images_is_one_partial_batch():
    result = batches(IMAGES, 200, order="sequential", drop_remainder=False)
    assert len(result) == 1 and len(result[0]["images"]) == COUNT


def test_what_is_left_out_is_logged_once(caplog):
    with caplog.at_level(logging.INFO, "keras_contrastive"):
        list(batches(IMAGES, 10))
        list(batches(IMAGES[:100], 10))
        list(batches(IMAGES, 10, drop_remainder=False))
    assert [record.getMessage() for record in caplog.records] == [
        "3 of 103 images do not fill a batch of 10 and are left out of every "
        "epoch."
    ]


def test_indices_restrict_images_and_all_that_travels():
    rows = NUMBERS[NUMBERS % 3 == 0]
    result = batches(
        IMAGES,
        5,
        labels=NUMBERS,
        subset_ids=SUBSETS,
        indices=rows,
        order="stratified",
    )
    assert len(result) == 7
    for batch in result:
        assert np.isin(batch["labels"], rows).all()
        assert np.array_equal(batch["images"], IMAGES[batch["labels"]])
        assert np.array_equal(SUBSETS[batch["labels"]], np.arange(5))


def test_indices_keep_their_order_in_the_sequential_one():
    result = batches(
        IMAGES, 3, labels=NUMBERS, indices=[9, 2, 5], order="sequential"
    )
    assert labels_of(result) == [[9, 2, 5]]


@pytest.mark.parametrize("index", [-1, 10])
def test_batches_that_are_not_there(index):
    with pytest.raises(IndexError, match=f"received {index}"):
        batches(IMAGES, 10)[index]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": IMAGES.astype(int)}, "`images` .*int64"),
        ({"images": IMAGES[0]}, r"`images` .*\(5, 3\)"),
        ({"images": IMAGES * 1.0}, "`images` .*102"),
        ({"batch_size": 0}, "`batch_size` .*0"),
        ({"batch_size": 10.0}, "`batch_size` .*10.0"),
        ({"batch_size": 104}, "`batch_size` .*104 for 103"),
        ({"indices": [1, 2]}, "`batch_size` .*10 for 2"),
        ({"indices": [0, 103]}, "`indices` .*102, received 0 to 103"),
        ({"indices": [-1]}, "`indices` .*-1"),
        ({"indices": NUMBERS > 50}, "`indices` .*bool"),
        ({"indices": []}, "`indices` "),
        ({"labels": NUMBERS[:-1]}, "`labels` .*102 for 103"),
        ({"labels": NUMBERS / 2}, "`labels` .*float64"),
        ({"split_ids": NUMBERS[:5]}, "`split_ids` .*5 for 103"),
        ({"policy_ids": -NUMBERS}, "`policy_ids` .*-102"),
        ({"subset_ids": NUMBERS[:5]}, "`subset_ids` .*5 for 103"),
        ({"seed": -1}, "`seed` .*-1"),
        ({"order": "random"}, "`order` .*'shuffled'.*received 'random'"),
        ({"order": "stratified"}, "`subset_ids` .*stratified.*None"),
        ({"order": "homogeneous"}, "`subset_ids` .*homogeneous.*None"),
        (
            {"order": "stratified", "subset_ids": NUMBERS % 3},
            "`batch_size` .*10 for 3 subsets",
        ),
        (
            {
                "order": "homogeneous",
                "subset_ids": SUBSETS,
                "drop_remainder": False,
            },
            "`drop_remainder` .*homogeneous.*False",
        ),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        batches(**{"images": IMAGES, "batch_size": 10, **arguments})


@pytest.mark.parametrize("epoch", [-1, 1.5])
def test_bad_epochs(epoch):
    result = batches(IMAGES, 10)
    with pytest.raises(ValueError, match=f"`epoch` .*{epoch}"):
        result.epoch = epoch


class Recorder(keras.Model):
    """Writes down the labels of every batch that `fit` hands it."""

    stop_after = None

    def __init__(self):
        super().__init__()
        self.seen = []

    def call(self, batch):
        return keras.ops.cast(batch["images"], "float32")

    def train_step(self, *state_and_batch):
        *state, batch = state_and_batch
        labels = keras.ops.convert_to_numpy(batch["labels"])
        self.seen.append(labels.tolist())
        self.stop_training = self.stop_after == len(self.seen)
        logs = {"loss": keras.ops.zeros(())}
        return (logs, *state) if state else logs


def fit(dataset, stop_after=None, **options):
    model = Recorder()
    model.stop_after = stop_after
    model.compile(optimizer="sgd", run_eagerly=True)
    model.fit(dataset, shuffle=False, verbose=0, **options)
    return model.seen


def expected(epochs, batch_size=10):
    result = batches(IMAGES, batch_size, labels=NUMBERS, seed=6)
    found = []
    for epoch in epochs:
        result.epoch = epoch
        found += labels_of(result)
    return found


# Batches of 50: an epoch as short as what Keras draws to learn the shapes.
@pytest.mark.parametrize("batch_size", [10, 50])
def test_fit_goes_through_the_epochs_in_order(batch_size):
    result = batches(IMAGES, batch_size, labels=NUMBERS, seed=6)
    assert fit(result, epochs=3) == expected([0, 1, 2], batch_size)
    assert result.epoch == 3
    # The next fit goes on, a new one resumes.
    assert fit(result, epochs=2) == expected([3, 4], batch_size)
    resumed = batches(IMAGES, batch_size, labels=NUMBERS, seed=6)
    resumed.epoch = 3
    assert fit(resumed, epochs=5, initial_epoch=3) == expected(
        [3, 4], batch_size
    )


def test_steps_per_epoch_do_not_break_an_epoch():
    result = batches(IMAGES, 10, labels=NUMBERS, seed=6)
    seen = fit(result, epochs=4, steps_per_epoch=5)
    assert seen == expected([0, 1])
    assert result.epoch == 2


def test_an_epoch_that_breaks_off_is_started_over():
    result = batches(np.tile(IMAGES, (2, 1, 1, 1)), 2, labels=[0] * 2 * COUNT)
    assert len(fit(result, stop_after=3, epochs=2)) == 3
    fit(result, epochs=1)
    assert result.epoch == 1


def test_several_threads_draw_the_same_epochs():
    result = batches(IMAGES, 10, labels=NUMBERS, seed=6)
    if keras.backend.backend() == "jax":
        pytest.skip("JAX builds the model from batches that threads drew.")
    result.workers = 3
    assert fit(result, epochs=3) == expected([0, 1, 2])


def test_evaluate_on_all_images_in_order():
    model = Recorder()
    model.compile(loss=None)
    outputs = model.predict(
        batches(IMAGES, 10, order="sequential", drop_remainder=False),
        verbose=0,
    )
    assert np.array_equal(outputs, IMAGES)


def test_all_parts_together():
    labels = NUMBERS % 2
    train, _ = data.split(labels, (0.8, 0.2), seed=0)
    subset_ids = np.zeros(COUNT, np.int32)
    subset_ids[train] = data.partition(labels[train], 4, seed=0)
    result = batches(
        IMAGES,
        8,
        labels=NUMBERS,
        subset_ids=subset_ids,
        split_ids=subset_ids,
        indices=train,
        order="stratified",
    )
    assert len(result) == 10
    for batch in result:
        assert np.array_equal(batch["split_ids"], np.arange(8) % 4)
        assert np.isin(batch["labels"], train).all()


def test_the_order_of_classes_goes_by_labels():
    result = batches(
        IMAGES, 12, labels=SUBSETS, order="classes", images_per_class=3
    )
    for batch in result:
        names, counts = np.unique(batch["labels"], return_counts=True)
        assert len(names) == 4 and (counts == 3).all()
        assert np.array_equal(batch["labels"], batch["images"][:, 0, 0, 0] % 5)


def test_the_order_of_classes_asks_for_labels():
    with pytest.raises(ValueError, match="`labels` must be given"):
        batches(IMAGES, 12, order="classes")
    with pytest.raises(ValueError, match="`images_per_class`.*1"):
        batches(IMAGES, 12, labels=SUBSETS, order="classes", images_per_class=1)


def test_further_columns_travel_with_their_images():
    class Lazy:
        def __len__(self):
            return COUNT

        def __getitem__(self, rows):
            return IMAGES[rows] // 2

    result = batches(
        IMAGES,
        10,
        labels=NUMBERS,
        columns={
            "other_images": (IMAGES / 255).astype("float64"),
            "lazy_images": Lazy(),
            "same": (NUMBERS % 2).tolist(),
        },
    )
    for batch in result:
        numbers = batch["labels"]
        other = batch["other_images"]
        assert other.dtype == np.float32
        np.testing.assert_allclose(other, IMAGES[numbers] / 255, rtol=1e-6)
        assert np.array_equal(batch["lazy_images"], IMAGES[numbers] // 2)
        assert np.array_equal(batch["same"], numbers % 2)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"other_images": IMAGES[:5]}, "`other_images`.*5 for 103"),
        ({"other_images": IMAGES * 1.0}, r"`other_images`.*\[0, 1\]"),
        ({"labels": NUMBERS}, "`columns`.*'labels'"),
    ],
)
def test_bad_columns_are_refused(columns, message):
    with pytest.raises(ValueError, match=message):
        batches(IMAGES, 10, columns=columns)


# Shares of a batch, for replicas.


@pytest.mark.parametrize("shares", [1, 2, 5])
def test_shares_make_up_the_batch(shares):
    result = batches(IMAGES, 10, labels=NUMBERS, policy_ids=NUMBERS, seed=3)
    for epoch, index in ((0, 0), (0, 9), (2, 4)):
        result.epoch = epoch
        whole = result[index]
        # A share is of the epoch that it names, whatever the batches are at.
        result.epoch = 7
        parts = [
            result.share(epoch, index, share, shares) for share in range(shares)
        ]
        for name, values in whole.items():
            joined = np.concatenate([part[name] for part in parts])
            np.testing.assert_array_equal(joined, values, err_msg=name)
        assert len({len(part["images"]) for part in parts}) == 1


def test_a_last_batch_is_filled_up_by_images_that_do_not_count():
    result = batches(
        IMAGES, 10, labels=NUMBERS, order="sequential", drop_remainder=False
    )
    parts = [result.share(0, 10, share, 2, fill_up=True) for share in (0, 1)]
    labels = np.concatenate([part["labels"] for part in parts])
    weights = np.concatenate([part["weights"] for part in parts])
    assert labels.tolist() == [100, 101, 102] + 7 * [102]
    assert weights.tolist() == 3 * [1.0] + 7 * [0.0]
    assert weights.dtype == "float32"
    full = result.share(0, 3, 1, 2, fill_up=True)
    assert full["weights"].tolist() == 5 * [1.0]


@pytest.mark.parametrize("drop_remainder", [True, False])
def test_resized_batches_have_the_same_images_in_the_same_order(drop_remainder):
    result = batches(
        IMAGES, 10, labels=NUMBERS, drop_remainder=drop_remainder, seed=1
    )
    result.epoch = 4
    resized = result.resized(16)
    assert resized.epoch == 4 and resized.batch_size == 16
    assert resized.num_images == result.num_images
    assert sum(labels_of(resized), []) == sum(labels_of(result), [])
