"""Threads: how many work side by side, how they are started, and what keeps BLAS from taking its own."""

from __future__ import annotations

import math
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import cache
from itertools import pairwise
from queue import SimpleQueue
from typing import Any

from deltarule.nn.engines.compilation import is_loaded, is_python
from deltarule.nn.engines.scipy_blas import load_blas
from deltarule.registry import import_extra, is_there, signals_wait

#: Products of a batch that are worth a thread of their own.
THREAD_PRODUCTS = 1_000_000
#: A range of rows to predict takes so many products: waking a thread takes about as long as half of them.
RANGE_PRODUCTS = 10_000_000
#: For each thread there are so many ranges at most: one that was late, or is slowed down, takes fewer.
MOST_RANGES = 4
#: Products of a batch up to which OpenBLAS takes one thread of itself …
BLAS_PRODUCTS = 250_000
#: … up to which the NumPy engine lets it take no more to train: a millisecond or two of one thread …
SMALL_PRODUCTS = 100_000_000
#: … and to predict, where two threads would save less than they may wait for each other.
PREDICTED_PRODUCTS = 10_000_000


def is_divided(n_products: float) -> bool:
    """Return whether a batch that takes so many multiplications is divided into tasks for several threads."""
    return n_products >= 2 * THREAD_PRODUCTS


def count_threads(n_tasks: int) -> int:
    """Return how many threads share so many tasks."""
    return 1 if n_tasks <= 1 or is_python() else min(n_tasks, most_threads())


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
    if not BLAS_PRODUCTS < n_products <= most or not is_there("threadpoolctl"):
        return nullcontext()
    return _one_thread_each(_blas(is_loaded()))


@contextmanager
def _one_thread_each(libraries: Sequence[Any]) -> Iterator[None]:
    """As threadpoolctl's ``limit``, for small products: it takes 2 instead of 8 µs."""
    held = [(library, n) for library in libraries if (n := library.get_num_threads() or 1) > 1]
    try:
        for library, _ in held:
            library.set_num_threads(1)
        yield
    finally:
        for library, n in held:
            library.set_num_threads(n)


@cache
def _blas(with_scipy: bool) -> Sequence[Any]:
    """The libraries of matrix products in this process; SciPy's, which the kernels use, once it is there."""
    if with_scipy:
        load_blas()
    with signals_wait():
        controller = import_extra("threadpoolctl", "fast").ThreadpoolController()
        return list(controller.select(user_api="blas").lib_controllers)


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


def run_ranges(n_rows: int, n_products: float, run: Callable[[int, int], None]) -> None:
    """Run ranges of rows, in this thread and, if there are many, in others, which stay for the next call.

    Whoever is free takes the next range: a thread that starts late keeps nobody waiting.
    """
    n_threads = count_threads(min(n_rows, int(n_products / RANGE_PRODUCTS)))
    if n_threads == 1:
        run(0, n_rows)
        return
    n_ranges = min(n_rows, int(n_products / RANGE_PRODUCTS), MOST_RANGES * n_threads)
    bounds = [n_rows * part // n_ranges for part in range(n_ranges + 1)]
    left, ended = deque(pairwise(bounds)), SimpleQueue[BaseException | None]()

    def work() -> None:
        with suppress(IndexError):
            while True:
                rows = left.popleft()
                try:
                    run(*rows)
                    ended.put(None)
                except BaseException as error:
                    ended.put(error)

    try:
        _helpers.call(work, n_threads - 1)
        work()
        errors = [ended.get() for _ in range(n_ranges)]
    finally:
        left.clear()
    for error in errors:
        if error is not None:
            raise error


class _Helpers:
    """Threads that wait for calls of any thread, as many as were ever needed at the same time."""

    def __init__(self) -> None:
        self.calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.count, self.starting = 0, threading.Lock()

    def call(self, work: Callable[[], None], times: int) -> None:
        """Let so many of them, or all there are, do something that raises nothing."""
        if self.count < times:
            with self.starting, signals_wait(), suppress(RuntimeError):  # no more threads
                while self.count < times:
                    threading.Thread(target=self._work_for_ever, daemon=True).start()
                    self.count += 1
        for _ in range(min(times, self.count)):
            self.calls.put(work)

    def _work_for_ever(self) -> None:
        while True:
            self.calls.get()()


_helpers = _Helpers()


def _forget_helpers() -> None:
    """Begin anew in a forked process, in which there is no thread but one."""
    global _helpers
    _helpers = _Helpers()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_helpers)
