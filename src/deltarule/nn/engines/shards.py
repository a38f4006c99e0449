"""Shards: a batch cut into parts that do not depend on who computes them, and sums over them.

A batch of ``n`` rows has a power of two of shards, ``count_shards(n)``; shard ``s`` holds its rows from
``n·s // n_shards`` on. Each one's gradient is computed by itself, in one thread, and they are added in one
fixed binary tree: 0 and 1, 2 and 3, … then these sums in pairs. So the bits of the sum are the same however
many threads, processes or machines there are, as long as each computes whole branches of the tree.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from deltarule.arrays import Array, as_batch
from deltarule.nn.engines import compiled, reference
from deltarule.nn.engines.compilation import compile_once, load_kernels
from deltarule.nn.engines.contract import Samples, TrainableNetwork
from deltarule.nn.engines.records import record_of
from deltarule.nn.engines.streams import stream_of
from deltarule.nn.engines.threads import blas_of_one_thread
from deltarule.nn.engines.workspace import (
    count_tiles,
    divide_job,
    kernel_inputs,
    make_lists,
    make_workspace,
    plan_layout,
)
from deltarule.nn.layers import Layer
from deltarule.nn.objective import Objective
from deltarule.nn.optimizers import SGD

#: Rows that a shard has at least, where its batch has as many: smaller products of matrices are slow …
SHARD_ROWS = 128
#: … and the most shards there are.
MOST_SHARDS = 1024

#: The gradient of the rows with these numbers, summed, goes to ``out``; returns the sum of their costs.
ShardGradient: TypeAlias = "Callable[[Array, np.random.Generator, Array], float]"

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


class ShardedBatch(NamedTuple):
    """The batch of an update: which rows it has, ``t``, and a key, from which dropout masks are drawn."""

    rows: Array  # (n,) of int
    t: int
    key: int

    @property
    def n_shards(self) -> int:
        """How many shards it has."""
        return count_shards(len(self.rows))

    def rows_of(self, shard: int) -> Array:
        """The numbers of a shard's rows."""
        n, n_shards = len(self.rows), self.n_shards
        return self.rows[n * shard // n_shards : n * (shard + 1) // n_shards]

    def masks_of(self, shard: int) -> np.random.Generator:
        """Return what draws the dropout masks of a shard, whoever computes it."""
        return np.random.default_rng([self.key, self.t, shard])


class ShardSums:
    """Sums over shards of batches, by one engine, in as many threads as wanted.

    It is a context: BLAS takes one thread inside of it.

    Parameters
    ----------
    engine : "reference" or "compiled"
    net : TrainableNetwork
    samples : Samples
    size : int
        Rows of the largest batch.
    n_threads : int
    """

    def __init__(
        self, engine: str, net: TrainableNetwork, samples: Samples, size: int, n_threads: int = 1
    ) -> None:
        make = {"reference": _reference_gradient, "compiled": _compiled_gradient}[engine]
        summed = _SummedNetwork.of(net)
        # Of half as many shards as rows allow, or of one batch's last part: never more rows than these.
        n_rows = max(math.ceil(size / count_shards(size)), min(size, 2 * SHARD_ROWS))
        self._shards = [make(summed, samples, n_rows) for _ in range(n_threads)]
        self._no_masks = np.random.default_rng(0)
        self._drops = any(layer.dense.dropout for layer in net.layers)
        self._pool = ThreadPoolExecutor(n_threads - 1) if n_threads > 1 else None
        self._others: dict[tuple[int, int], Array] = {}
        self._one_thread_of_blas: AbstractContextManager[object] = nullcontext()

    def __enter__(self) -> ShardSums:
        self._one_thread_of_blas = blas_of_one_thread(math.inf)
        self._one_thread_of_blas.__enter__()
        return self

    def __exit__(self, *raised: object) -> None:
        if self._pool is not None:
            self._pool.shutdown()
        self._one_thread_of_blas.__exit__(None, None, None)

    def sum(self, batch: ShardedBatch, low: int, high: int, out: Array) -> float:
        """Put the gradient of a branch of shards, ``low`` to ``high``, into ``out``; return their cost.

        Both are sums over rows, each counted by its weight, without penalties.
        """
        return self._sum(batch, low, high, out, 0, len(self._shards))

    def _sum(self, batch: ShardedBatch, low: int, high: int, out: Array, first: int, stop: int) -> float:
        """Sum a branch in the threads numbered ``first`` to ``stop``."""
        if high - low == 1:
            masks = batch.masks_of(low) if self._drops else self._no_masks
            return self._shards[first](batch.rows_of(low), masks, out)
        middle, half = (low + high) // 2, (first + stop + 1) // 2
        other = self._others.setdefault((first, high - low), np.empty_like(out))
        if self._pool is not None and half < stop:
            right = self._pool.submit(self._sum, batch, middle, high, other, half, stop)
            cost = self._sum(batch, low, middle, out, first, half)
            cost += right.result()
        else:
            cost = self._sum(batch, low, middle, out, first, stop)
            cost += self._sum(batch, middle, high, other, first, stop)
        out += other
        return cost


@dataclass(frozen=True, eq=False)
class _SummedNetwork:
    """A network whose cost is a sum over rows, without penalties, and nothing is frozen."""

    layers: Sequence[Layer]
    objective: Objective
    parameters: Array
    frozen: Array
    decaying: Array

    @classmethod
    def of(cls, net: TrainableNetwork) -> _SummedNetwork:
        objective = replace(net.objective, reduction="sum", l1=0.0, l2=0.0)
        return cls(net.layers, objective, net.parameters, np.empty(0, net.frozen.dtype), net.decaying)


def _reference_gradient(net: _SummedNetwork, samples: Samples, n_rows: int) -> ShardGradient:
    dtype = net.parameters.dtype

    def gradient(rows: Array, masks: np.random.Generator, out: Array) -> float:
        part = samples.take(rows)
        with np.errstate(all="ignore"):  # a thread has its own; what overflows is found at the end
            trace = reference.forward(net.layers, as_batch(part.x, dtype), masks)
            cost = reference.cost(net.layers, net.objective, trace, part.y, part.weight)
            reference.backward(net.layers, net.objective, trace, part.y, part.weight, out)
        return float(cost)

    return gradient


def _compiled_gradient(net: _SummedNetwork, samples: Samples, n_rows: int) -> ShardGradient:
    """An update of no parameter, of one batch in one thread, leaves its gradient in the workspace."""
    kernels, dtype = load_kernels(), net.parameters.dtype
    inputs, is_weighted = kernel_inputs(samples.x, dtype), samples.weight is not None
    n_tiles = count_tiles(net, inputs)
    layout = plan_layout(net, n_rows, is_training=True, is_weighted=is_weighted, is_listed=n_tiles > 0)
    division = divide_job(net, n_rows, 0, n_tiles)
    division.tasks[:, kernels.LOW :] = 0  # it has all parts, and no parameter to update
    lists = make_lists(dtype, net.layers[0].dense.n_in, n_rows, n_tiles, inputs.indptr)
    no_masks = np.zeros(6, np.uint64)
    workspace = make_workspace(layout, net, lists, division, no_masks, 1)
    job = compiled.make_job(net, layout, SGD(), np.zeros((0, net.parameters.size), dtype))
    weight = np.empty((0, 1), dtype) if samples.weight is None else np.ascontiguousarray(samples.weight)
    y = np.ascontiguousarray(samples.y)
    data = kernels.Data(inputs, y, weight, np.empty((1, 0), np.int64), n_rows, np.zeros((1, 1)), 0)
    nothing = [record_of(fields) for fields in (job, data._replace(rates=np.zeros((0, 1))), workspace)]
    compile_once("run", dtype, inputs.dense.dtype, lambda: kernels.run(1, *nothing))

    def gradient(rows: Array, masks: np.random.Generator, out: Array) -> float:
        part = data._replace(orders=rows[None], batch_size=len(rows))
        room = workspace._replace(gradient=out, stream=stream_of(masks))
        room.gate[:] = 0
        kernels.run(1, *(record_of(fields) for fields in (job, part, room)))
        return float(room.losses[0]) if room.gate[kernels.FINISHED] else math.nan

    return gradient
