"""Threads: into how many shares work is divided, and how shares are run side by side."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import cache
from importlib import import_module
from itertools import pairwise
from typing import Any, TypeVar

from deltarule.registry import import_extra

T = TypeVar("T")

#: Products of a batch that are worth a thread of their own …
THREAD_PRODUCTS = 1_000_000
#: … and, where threads have to be started for them, so many more.
START_PRODUCTS = 25_000_000
#: Products of a batch up to which OpenBLAS takes one thread of itself.
BLAS_PRODUCTS = 250_000


def count_shares(n_rows: int, n_products: float, overhead: int = 0) -> int:
    """Return into how many shares, each for a thread, so many rows are divided.

    Parameters
    ----------
    n_rows : int
    n_products : float
        Multiplications that all rows take.
    overhead : int
        Multiplications that a thread costs beyond its own.
    """
    wanted = min(n_rows, int(n_products / (THREAD_PRODUCTS + overhead)))
    if wanted < 2:
        return 1
    config = import_module("numba.core.config")
    return 1 if config.DISABLE_JIT else min(wanted, config.NUMBA_NUM_THREADS)


def blas_of_one_thread(n_products: float) -> AbstractContextManager[object]:
    """Keep BLAS from taking threads of its own: each of ours calls it for itself."""
    return _blas().limit(limits=1) if n_products > BLAS_PRODUCTS else nullcontext()


@cache
def _blas() -> Any:
    """The libraries of matrix products in this process."""
    import_module("scipy.linalg.cython_blas")
    return import_extra("threadpoolctl", "fast").ThreadpoolController().select(user_api="blas")


def run_shares(n_shares: int, run: Callable[[int], T]) -> T:
    """Run every share in a thread of its own; return the result of the first.

    The threads may wait for each other, so either all of them start or none does anything. Ctrl-C waits for
    their end. A single share runs in this thread.
    """
    if n_shares == 1:
        with signals_wait():
            return run(0)
    results: dict[int, T] = {}
    all_here = threading.Barrier(n_shares)

    def work(share: int) -> None:
        with suppress(threading.BrokenBarrierError):
            all_here.wait()
            results[share] = run(share)

    threads = [threading.Thread(target=work, args=(share,)) for share in range(n_shares)]
    try:
        for thread in threads:
            thread.start()
    except BaseException:  # no more threads, or Ctrl-C: those that wait for the others are let go
        all_here.abort()
        for thread in threads:
            if thread.ident is not None:
                thread.join()
        raise
    _join(threads)
    return results[0]


def _join(threads: list[threading.Thread]) -> None:
    """Wait for threads. They work on the network: Ctrl-C lets them come to the end of it."""
    interrupted = False
    while any(thread.is_alive() for thread in threads):
        try:
            for thread in threads:
                thread.join()
        except KeyboardInterrupt:
            interrupted = True
    if interrupted:
        raise KeyboardInterrupt


@contextmanager
def signals_wait() -> Iterator[None]:
    """Let Ctrl-C and its like wait: an exception while Numba takes a Generator apart ends the process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[tuple[int, Any]] = []
    found: dict[int, Any] = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    handlers = {number: handler for number, handler in found.items() if callable(handler)}
    try:
        for number in handlers:
            signal.signal(number, lambda *arguments: waiting.append(arguments))
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number, frame in waiting[:1]:
            handlers[number](number, frame)


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
