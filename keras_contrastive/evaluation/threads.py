"""Threads that each multiply matrices by themselves.

A matrix product in several BLAS threads waits for all of them, actively, and
where one has lost its core to another process it waits for the scheduler: on
two busy cores a product of one millisecond then takes eight to sixteen. So
products run on one BLAS thread each, and chunks of work side by side, which
no other process can hold up for long. Results do not depend on the number of
threads.
"""

import concurrent.futures
import contextlib
import os

# Each may hold a chunk of tens of megabytes.
MAX_THREADS = 8


@contextlib.contextmanager
def thread_pool():
    """A pool of threads, in whose context BLAS uses one thread a product.

    Yields:
        `concurrent.futures.ThreadPoolExecutor`; its `map` keeps the order.
    """
    from threadpoolctl import threadpool_limits

    count = min(os.cpu_count() or 1, MAX_THREADS)
    with (
        threadpool_limits(1, "blas"),
        concurrent.futures.ThreadPoolExecutor(count) as pool,
    ):
        yield pool
