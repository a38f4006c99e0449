"""Windows: rows of a stream in the order of an epoch, some thousands at a time, made ahead by a thread.

An epoch takes the groups in a new order, and the rows within each window of the groups so joined in another.
Where all rows fit into one window, they are taken in the order in which training takes arrays.
"""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

from deltarule.arrays import Array, Scaled
from deltarule.errors import InputError

_Rows: TypeAlias = tuple[Array | Scaled, Array]

_LOOK = 0.2  # seconds after which a waiting thread looks whether it is still wanted


class RowOrder(Protocol):
    """What draws orders: a NumPy Generator, for example."""

    def permutation(self, n: int, /) -> Array:
        """An order of n things."""


@dataclass(frozen=True, eq=False)
class Block:
    """The rows of a window: inputs (n, n_features), targets (n, n_outputs), and the order to take them in.

    Global batch k of an epoch is the rows ``start + order`` from k·size on, and lies in one block.

    Parameters
    ----------
    x : ndarray or Scaled
    y : ndarray
    order : ndarray of int, (n,), or None
        None takes the rows as they stand.
    start : int
        How many rows of the epoch stand before the block: a multiple of the batch size.
    """

    x: Array | Scaled
    y: Array
    order: Array | None
    start: int

    def __len__(self) -> int:
        return len(self.y)

    def rows(self, first: int, last: int) -> _Rows:
        """Return the rows of the epoch from ``first`` up to ``last``: a shard of a batch, for a worker.

        Both count from the epoch's first row; batch k of size B has the rows from k·B to (k + 1)·B, of which
        those that lie in this block are returned.
        """
        low, high = max(first - self.start, 0), max(last - self.start, 0)
        chosen: Any = slice(low, high) if self.order is None else self.order[low:high]
        return self.x[chosen], self.y[chosen]


class WindowBuffer:
    """Room for the rows of a window; made when the first rows come, and used again and again."""

    def __init__(self, n_rows: int) -> None:
        self._n_rows = n_rows
        self._x = self._y = np.empty(0)
        self._form: Scaled | None = None
        self.count = 0

    def fill(self, rows: Iterator[_Rows], rest: _Rows) -> _Rows:
        """Take rows until there is no more room, or there are no more; returns what is left of a piece."""
        self.count = 0
        while self.count < self._n_rows:
            x, y = rest if len(rest[1]) else next(rows, rest)
            if not len(y):
                break
            count = self._take(x, y)
            rest = x[count:], y[count:]
        return rest

    def _take(self, x: Array | Scaled, y: Array) -> int:
        values = x.values if isinstance(x, Scaled) else x
        if not self._x.size:
            self._form = x if isinstance(x, Scaled) else None
            self._x = np.empty((self._n_rows, values.shape[1]), values.dtype)
            self._y = np.empty((self._n_rows, y.shape[1]), y.dtype)
        count = min(self._n_rows - self.count, len(y))
        place = slice(self.count, self.count + count)
        self._x[place], self._y[place] = values[:count], y[:count]
        self.count += count
        return count

    def block(self, order: Array | None, start: int) -> Block:
        """Return the rows that were taken."""
        x: Array | Scaled = self._x[: self.count]
        if self._form is not None:
            x = Scaled(x, self._form.shift, self._form.scale)
        return Block(x, self._y[: self.count], order, start)


@dataclass(frozen=True)
class WindowPlan:
    """How the rows of an epoch become windows.

    Parameters
    ----------
    counts : sequence of int
        The rows of each group.
    window : int
        Rows of a window.
    skip : int
        Rows at the start of the epoch that are done already: whole windows are left out.
    """

    counts: tuple[int, ...]
    window: int
    skip: int = 0

    @property
    def n_rows(self) -> int:
        """Rows of the epoch."""
        return sum(self.counts)

    def windows(
        self,
        order: RowOrder | None,
        read: Callable[[int], Iterator[_Rows]],
        free: Callable[[], WindowBuffer],
    ) -> Iterator[tuple[WindowBuffer, Array | None, int]]:
        """Fill windows, in turn; ``read`` gives the rows of a group, ``free`` a buffer."""
        one = self.window >= self.n_rows
        shuffled = order is not None and not one and len(self.counts) > 1
        groups = (
            order.permutation(len(self.counts)).tolist() if order and shuffled else range(len(self.counts))
        )
        start = 0
        while start + self.window <= self.skip:  # the orders are drawn though nobody needs them
            if order is not None:
                order.permutation(min(self.window, self.n_rows - start))
            start += self.window
        rows = self._rows(groups, start, read)
        rest: _Rows = np.empty((0, 0)), np.empty((0, 0))
        while start < self.n_rows:
            size = min(self.window, self.n_rows - start)
            taken = None if order is None else order.permutation(size)
            buffer = free()
            rest = buffer.fill(rows, rest)
            start += size
            if buffer.count != size or (start == self.n_rows and (len(rest[1]) or next(rows, None))):
                raise InputError(
                    f"the stream gave different rows than before, when there were {self.n_rows:,}: "
                    "batches and queries must give the same rows every time"
                )
            yield buffer, taken, start - size

    def _rows(
        self,
        groups: Any,
        skip: int,
        read: Callable[[int], Iterator[_Rows]],
    ) -> Iterator[_Rows]:
        for group in groups:
            if skip >= self.counts[group]:
                skip -= self.counts[group]
                continue
            for x, y in read(group):
                if skip >= len(y):
                    skip -= len(y)
                else:
                    yield x[skip:], y[skip:]
                    skip = 0


@contextmanager
def made_ahead(
    make: Callable[[Callable[[], WindowBuffer]], Iterator[Any]], n_rows: int
) -> Iterator[Iterator[tuple[WindowBuffer, Array | None, int]]]:
    """Let a thread fill the next window while this one is used; without threads, in turn."""
    if sys.platform == "emscripten":
        buffer = WindowBuffer(n_rows)
        yield make(lambda: buffer)
        return
    free: queue.Queue[WindowBuffer] = queue.Queue()
    done: queue.Queue[Any] = queue.Queue()
    stopped = threading.Event()
    for _ in range(2):
        free.put(WindowBuffer(n_rows))

    def wait_for_buffer() -> WindowBuffer:
        while not stopped.is_set():
            try:
                return free.get(timeout=_LOOK)
            except queue.Empty:
                continue
        raise _Stopped

    def produce() -> None:
        try:
            for item in make(wait_for_buffer):
                done.put(item)
            done.put(None)
        except _Stopped:
            pass
        except BaseException as error:
            done.put(error)

    def consume() -> Iterator[Any]:
        while (item := done.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
            free.put(item[0])

    thread = threading.Thread(target=produce, name="deltarule-stream", daemon=True)
    thread.start()
    try:
        yield consume()
    finally:
        stopped.set()
        thread.join()


class _Stopped(Exception):
    """Nobody wants more windows."""
