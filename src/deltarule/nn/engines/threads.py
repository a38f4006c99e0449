"""Threads: how many work side by side, how they are started, and what keeps BLAS from taking its own."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

from deltarule.nn.engines.compilation import is_loaded, is_python
from deltarule.nn.engines.scipy_blas import load_blas
from deltarule.registry import import_extra, signals_wait

#: Products of a batch that are worth a thread of their own …
THREAD_PRODUCTS = 1_000_000
#: … and of rows to predict, for which threads have to be started.
START_PRODUCTS = 50_000_000
#: Products of a batch up to which OpenBLAS takes one thread of itself …
BLAS_PRODUCTS = 250_000
#: … and up to which the NumPy engine lets it take no more: a millisecond or two of one thread.
SMALL_PRODUCTS = 100_000_000


def is_divided(n_products: float) -> bool:
    """Return whether a batch that takes so many multiplications is divided into tasks for several threads."""
    return n_products >= 2 * THREAD_PRODUCTS


def count_threads(n_tasks: int) -> int:
    """Return how many threads share so many tasks."""
    return 1 if is_python() else max(1, min(n_tasks, most_threads()))


def most_threads() -> int:
    """Return how many threads there are: ``$NUMBA_NUM_THREADS``, or the cores that this process may use."""
    named = os.environ.get("NUMBA_NUM_THREADS", "")
    if named.isdecimal():
        return int(named)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def blas_of_one_thread(n_products: float, most: float = math.inf) -> AbstractContextManager[object]:
    """Keep BLAS from taking threads of its own, where products are neither tiny nor of more than ``most``.

    Where our threads call it, each does so for itself. And threads of BLAS's wait for each other at every
    product, for a slice of time where another process is busy; once they worked, they spin for some 30 ms.
    """
    if not BLAS_PRODUCTS < n_products <= most or find_spec("threadpoolctl") is None:
        return nullcontext()
    limit: AbstractContextManager[object] = _blas(is_loaded()).limit(limits=1)
    return limit


@cache
def _blas(with_scipy: bool) -> Any:
    """The libraries of matrix products in this process; SciPy's, which the kernels use, once it is there."""
    if with_scipy:
        load_blas()
    with signals_wait():
        return import_extra("threadpoolctl", "fast").ThreadpoolController().select(user_api="blas")


def run_together(n_threads: int, run: Callable[[], object]) -> None:
    """Make the same call in so many threads, this one among them. Ctrl-C waits for their end.

    Either all of them start or none does anything.
    """
    with signals_wait():
        may_go = threading.Event()
        is_off: list[bool] = []

        def work() -> None:
            may_go.wait()
            if not is_off:
                run()

        others = [threading.Thread(target=work) for _ in range(n_threads - 1)]
        try:
            for thread in others:
                thread.start()
        except BaseException:  # no more threads
            is_off.append(True)
            raise
        else:
            may_go.set()
            run()
        finally:
            may_go.set()
            for thread in others:
                if thread.ident is not None:
                    thread.join()


def run_ranges(n_rows: int, n_shares: int, run: Callable[[int, int], None]) -> None:
    """Run equal ranges of rows, each in a thread of its own, the first of them in this one."""
    if n_shares == 1:
        run(0, n_rows)
        return
    bounds = [n_rows * share // n_shares for share in range(n_shares + 1)]
    with ThreadPoolExecutor(n_shares - 1) as others:
        parts = [others.submit(run, *rows) for rows in pairwise(bounds[1:])]
        run(*bounds[:2])
        for part in parts:
            part.result()
