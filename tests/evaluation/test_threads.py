import numpy as np
import threadpoolctl

from keras_contrastive.evaluation.threads import thread_pool


def blas_threads():
    return {
        each["num_threads"]
        for each in threadpoolctl.threadpool_info()
        if each["user_api"] == "blas"
    }


def test_blas_has_one_thread_inside_and_its_own_before_and_after():
    np.ones((2, 2)) @ np.ones((2, 2))
    before = blas_threads()
    with thread_pool() as pool:
        assert blas_threads() == {1}
        assert list(pool.map(lambda x: x + 1, range(20))) == list(range(1, 21))
    assert blas_threads() == before
