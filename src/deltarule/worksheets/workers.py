"""The same for many, on as many threads as there are processors."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def in_parallel(work: Callable[[T], object], items: Iterable[T]) -> None:
    """Call ``work`` with each item; where the browser has no threads, one after the other.

    Typst sets pages without Python's lock, so that threads are enough. The first error is raised, and what
    has not begun by then is left.
    """
    if sys.platform == "emscripten":
        for item in items:
            work(item)
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            for future in futures:
                future.result()
        finally:
            pool.shutdown(cancel_futures=True)
