import numpy as np

from keras_contrastive import data
from keras_contrastive.data.row_batches import RowBatches


def batches(**kwargs):
    images = np.arange(10 * 4 * 4 * 3, dtype="uint8").reshape(10, 4, 4, 3)
    return data.batches(images, 3, labels=np.arange(10) + 7, **kwargs)


def test_what_rows_name_are_the_batches():
    whole, rows = batches(), RowBatches(batches())
    assert len(rows) == len(whole) == 3
    for epoch in (0, 1, 4):
        whole.epoch = rows.epoch = epoch
        for expected, found in zip(whole, rows, strict=True):
            np.testing.assert_array_equal(
                found["positions"], expected["positions"]
            )
            for name, column in rows.columns.items():
                np.testing.assert_array_equal(
                    column[found["row_numbers"]], expected[name]
                )


def test_rows_are_those_of_the_images_that_are_used():
    chosen = [9, 1, 4, 7]
    rows = RowBatches(batches(indices=chosen, order="sequential"))
    assert rows[0]["row_numbers"].tolist() == chosen[:3]
    assert rows[0]["row_numbers"].dtype == np.int32


def test_a_pass_is_an_epoch_as_that_of_the_batches():
    whole = batches()
    rows = RowBatches(whole)
    rows.on_epoch_begin()
    list(rows)
    rows.on_epoch_end()
    assert rows.epoch == whole.epoch == 1
