"""Shards: a batch cut into parts that do not depend on who computes them, and sums over them.

A batch of ``n`` rows has a power of two of shards, ``count_shards(n)``; shard ``s`` holds its rows from
``n·s // n_shards`` on. Each one's gradient is computed by itself, in one thread, and they are added in one
fixed binary tree: 0 and 1, 2 and 3, … then these sums in pairs. So the bits of the sum are the same however
many threads, processes or machines there are, as long as each computes whole branches of the tree.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from itertools import pairwise, repeat
from queue import SimpleQueue
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np

from deltarule.arrays import Array
from deltarule.nn.engines.contract import Samples, TrainableNetwork
from deltarule.nn.engines.shard_gradients import Computed, ShardGradient, shard_gradients
from deltarule.nn.engines.threads import blas_of_one_thread

#: Rows that a shard has at least, where its batch has as many: smaller products of matrices are slow …
SHARD_ROWS = 128
#: … and the most shards there are.
MOST_SHARDS = 1024

#: Shards ``low`` to ``high`` that one node of the tree sums.
Branch: TypeAlias = tuple[int, int]


def count_shards(n_rows: int) -> int:
    """Return into how many shards a batch is cut: a power of two.

    Examples
    --------
    >>> [count_shards(n) for n in (1, 128, 300, 512, 8192, 1_000_000)]
    [1, 1, 2, 4, 64, 1024]
    """
    return int(min(MOST_SHARDS, 1 << (max(1, n_rows // SHARD_ROWS).bit_length() - 1)))


def branches(low: int, high: int) -> Iterator[Branch]:
    """Cut shards ``low`` to ``high`` into the fewest whole branches of the tree, in their order.

    Examples
    --------
    >>> list(branches(0, 5)), list(branches(5, 10))
    ([(0, 4), (4, 5)], [(5, 6), (6, 8), (8, 10)])
    """
    while low < high:
        width = low & -low or 1 << high.bit_length()
        while width > high - low:
            width //= 2
        yield low, low + width
        low += width


def branches_of(n_shards: int, n_workers: int) -> list[list[Branch]]:
    """Divide a batch's shards among workers; return each one's branches.

    Examples
    --------
    >>> branches_of(8, 3)
    [[(0, 2)], [(2, 4), (4, 5)], [(5, 6), (6, 8)]]
    """
    bounds = [n_shards * worker // n_workers for worker in range(n_workers + 1)]
    return [list(branches(low, high)) for low, high in pairwise(bounds)]


def add_branches(cut: Sequence[Branch], parts: Sequence[Any]) -> Any:
    """Add the sums of branches that together are the whole tree, in its order; arrays in place.

    Examples
    --------
    >>> add_branches([(0, 1), (1, 2), (2, 4)], ["a", "b", "c"])
    'abc'
    """
    done: list[tuple[int, int, Any]] = []
    for (low, high), part in zip(cut, parts, strict=True):
        while done and done[-1][1] - done[-1][0] == high - low and done[-1][0] % (2 * (high - low)) == 0:
            left = done.pop()
            total = left[2]
            total += part
            low, part = left[0], total
        done.append((low, high, part))
    ((_, _, total),) = done
    return total


class Shared(Protocol):
    """What is divided into shards."""

    @property
    def n_shards(self) -> int: ...
    def cuts(self, n_workers: int) -> list[list[Branch]]:
        """Which branches each of the workers computes."""

    def rows_of(self, shard: int) -> Any:
        """What a shard is computed of."""

    def masks_of(self, shard: int) -> np.random.Generator:
        """Return what draws the dropout masks of a shard, whoever computes it."""


class ShardedBatch(NamedTuple):
    """The batch of an update: which rows it has, ``t``, and a key, from which dropout masks are drawn."""

    rows: Array  # (n,) of int
    t: int
    key: int

    @property
    def n_shards(self) -> int:
        """How many shards it has."""
        return count_shards(len(self.rows))

    def cuts(self, n_workers: int) -> list[list[Branch]]:
        """Which branches each of the workers computes."""
        return branches_of(self.n_shards, n_workers)

    def rows_of(self, shard: int) -> Array:
        """The numbers of a shard's rows."""
        n, n_shards = len(self.rows), self.n_shards
        return self.rows[n * shard // n_shards : n * (shard + 1) // n_shards]

    def masks_of(self, shard: int) -> np.random.Generator:
        """Return what draws the dropout masks of a shard, whoever computes it."""
        return np.random.default_rng([self.key, self.t, shard])


class ShardSums:
    """Sums over shards of batches, in as many threads as wanted.

    It is a context: BLAS takes one thread inside of it.

    Parameters
    ----------
    shards : sequence of ShardGradient
        What computes a shard, for each thread.
    pieces : list of slice
        The pieces of a gradient, in the order in which they are computed.
    draws : bool
        Whether shards draw dropout masks, or other numbers.
    """

    def __init__(self, shards: Sequence[ShardGradient], pieces: list[slice], *, draws: bool) -> None:
        self.pieces, self._shards, self._draws = pieces, shards, draws
        self._no_masks = np.random.default_rng(0)
        self._pool = ThreadPoolExecutor(len(shards) - 1) if len(shards) > 1 else None
        self._others: dict[tuple[int, int], Array] = {}
        self._one_thread_of_blas: AbstractContextManager[object] = nullcontext()

    @classmethod
    def of(
        cls, engine: str, net: TrainableNetwork, samples: Samples, size: int, n_threads: int = 1
    ) -> ShardSums:
        """Return what sums over batches of ``size`` rows at most, by one engine, in so many threads."""
        # Of half as many shards as rows allow, or of one batch's last part: never more rows than these.
        n_rows = max(math.ceil(size / count_shards(size)), min(size, 2 * SHARD_ROWS))
        shards, pieces = shard_gradients(engine, net, samples, n_rows, n_threads)
        return cls(shards, pieces, draws=any(layer.dense.dropout for layer in net.layers))

    def __enter__(self) -> ShardSums:
        self._one_thread_of_blas = blas_of_one_thread(math.inf)
        self._one_thread_of_blas.__enter__()
        return self

    def __exit__(self, *raised: object) -> None:
        if self._pool is not None:
            self._pool.shutdown()
        self._one_thread_of_blas.__exit__(None, None, None)

    def sum(self, batch: Shared, low: int, high: int, out: Array) -> float:
        """Put the gradient of a branch of shards, ``low`` to ``high``, into ``out``; return their cost.

        Both are sums over rows, each counted by its weight, without penalties.
        """
        ((cost, _),) = self._sum(batch, low, high, out, 0, len(self._shards), False)
        return cost

    def sum_by_pieces(self, batch: Shared, cut: Sequence[Branch], parts: Array) -> Iterator[list[float]]:
        """Put the gradients of some branches into ``parts``; yield their costs whenever a piece is there.

        The last shards are computed piece by piece, all others before.
        """
        costs = [self.sum(batch, *branch, part) for branch, part in zip(cut[:-1], parts[:-1], strict=True)]
        if not cut:
            yield from ([] for _ in self.pieces)
        else:
            for cost, _ in self._sum(batch, *cut[-1], parts[-1], 0, len(self._shards), True):
                yield [*costs, cost]

    def _sum(
        self, batch: Shared, low: int, high: int, out: Array, first: int, stop: int, in_pieces: bool
    ) -> Iterator[Computed]:
        """Sum a branch in the threads numbered ``first`` to ``stop``."""
        if high - low == 1:
            masks = batch.masks_of(low) if self._draws else self._no_masks
            yield from self._shards[first](batch.rows_of(low), masks, out, in_pieces)
            return
        middle, half = (low + high) // 2, (first + stop + 1) // 2
        other = self._others.setdefault((first, high - low), np.empty_like(out))
        if self._pool is not None and half < stop:
            right = _aside(self._pool, self._sum(batch, middle, high, other, half, stop, in_pieces))
            left = self._sum(batch, low, middle, out, first, half, in_pieces)
        else:
            left = repeat(*self._sum(batch, low, middle, out, first, stop, False))
            right = self._sum(batch, middle, high, other, first, stop, in_pieces)
        for (cost, _), (other_cost, piece) in zip(left, right, strict=False):
            out[piece] += other[piece]
            yield cost + other_cost, piece


def _aside(pool: ThreadPoolExecutor, computed: Iterator[Computed]) -> Iterator[Computed]:
    """Let another thread compute what an iterator gives, from now on."""
    done: SimpleQueue[Computed | None] = SimpleQueue()

    def compute() -> None:
        try:
            for each in computed:
                done.put(each)
        finally:
            done.put(None)

    working = pool.submit(compute)

    def received() -> Iterator[Computed]:
        while (each := done.get()) is not None:
            yield each
        working.result()

    return received()
