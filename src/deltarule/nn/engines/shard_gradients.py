"""The gradient of one shard by either engine, whole or in pieces.

A gradient has pieces: layer 1's ``dW``, most of it and computed last, in blocks of rows, the last one
together with all that follows in the parameters. Whoever sends sums to others asks for them piece by piece,
and sends one while the next is computed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from deltarule.arrays import Array, Scaled, Sparse, as_batch
from deltarule.nn.engines import compiled, jobs, reference
from deltarule.nn.engines.compilation import load_kernel
from deltarule.nn.engines.contract import Samples, TrainableNetwork
from deltarule.nn.engines.records import address_of, record_of
from deltarule.nn.engines.streams import stream_of
from deltarule.nn.engines.workspace import (
    Division,
    kernel_inputs,
    make_lists,
    make_workspace,
    plan_layout,
    tile_shares_of,
)
from deltarule.nn.layers import Dense, Layer
from deltarule.nn.objective import Objective
from deltarule.nn.optimizers import SGD

#: Pieces of a gradient, at most, and numbers that each has at least.
MOST_PIECES, PIECE_NUMBERS = 4, 8192

#: The gradient of a shard's rows, summed, goes to ``out``: all at once, or piece by piece. Yields the sum of
#: their costs and the range that is there now.
ShardGradient: TypeAlias = "Callable[[Any, np.random.Generator, Array, bool], Iterator[Computed]]"
Computed: TypeAlias = "tuple[float, slice]"


def shard_gradients(
    engine: str, net: TrainableNetwork, samples: Samples, n_rows: int, n_threads: int
) -> tuple[list[ShardGradient], list[slice]]:
    """Return what computes shards of ``n_rows`` at most, for each thread, and the pieces in their order."""
    summed, dense, dtype = _SummedNetwork.of(net), net.layers[0].dense, net.parameters.dtype
    n_blocks = max(1, min(MOST_PIECES, dense.n_weights // PIECE_NUMBERS, dense.n_in))
    if engine == "compiled":
        inputs = kernel_inputs(samples.x, dtype)
        n_tiles = len(tile_shares_of(net, inputs))
        blocks = _blocks_of(dense, n_tiles or n_blocks)
        found = [
            _compiled_gradient(summed, samples, inputs, n_tiles, n_rows, blocks) for _ in range(n_threads)
        ]
    else:
        is_sparse = isinstance(samples.x, Scaled) and isinstance(samples.x.values, Sparse)
        blocks = _blocks_of(dense, 1 if is_sparse else n_blocks)  # columns of sparse rows are slow to take
        found = [_reference_gradient(summed, samples, blocks) for _ in range(n_threads)]
    return found, _pieces_of(net, blocks)


def _blocks_of(dense: Dense, count: int) -> list[int]:
    """At which rows layer 1's ``dW`` is cut into blocks: by the job alone, as bits depend on it."""
    return [dense.n_in * block // count for block in range(count + 1)]


def _pieces_of(net: TrainableNetwork, blocks: Sequence[int]) -> list[slice]:
    """Which parameters the pieces have, the last ones first."""
    bounds = [net.layers[0].dense.n_out * row for row in blocks[:-1]] + [net.parameters.size]
    return [slice(*each) for each in pairwise(bounds)][::-1]


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


def _reference_gradient(net: _SummedNetwork, samples: Samples, blocks: Sequence[int]) -> ShardGradient:
    layers, dtype, pieces = net.layers, net.parameters.dtype, _pieces_of(net, blocks)
    starts = np.cumsum([0, *(layer.dense.n_parameters for layer in layers)])
    first = _narrow_layers(layers[0], net.parameters, blocks)

    def gradient(rows: Array, masks: np.random.Generator, out: Array, in_pieces: bool) -> Iterator[Computed]:
        part = samples.take(rows)
        with np.errstate(all="ignore"):  # a thread has its own; what overflows is found at the end
            trace = reference.forward(layers, as_batch(part.x, dtype), masks)
            cost = float(reference.cost(layers, net.objective, trace, part.y, part.weight))
            for number, delta in reference.deltas(layers, net.objective, trace, part.y, part.weight):
                if number > 0:
                    layers[number].gradients(trace[number], delta, out[starts[number] : starts[number + 1]])
        x = trace[0].x
        for piece, (columns, place, layer) in zip(pieces, first, strict=True):
            own = trace[0]._replace(x=x[:, columns] if len(first) > 1 else x)
            with np.errstate(all="ignore"):
                layer.gradients(own, delta, out[place])
            if in_pieces:
                yield cost, piece
        if not in_pieces:
            yield cost, slice(None)

    return gradient


def _narrow_layers(
    first: Layer, parameters: Array, blocks: Sequence[int]
) -> list[tuple[slice, slice, Layer]]:
    """Layer 1 as layers of fewer inputs, the last ones first: their inputs, their parameters, themselves."""
    found, given = [], first.dense
    for low, high in pairwise(blocks):
        bias = given.bias if high == given.n_in else "none"
        dense = Dense(high - low, given.n_out, given.activation, bias=bias)
        place = slice(low * given.n_out, low * given.n_out + dense.n_parameters)
        found.append((slice(low, high), place, Layer(dense, parameters[place])))
    return found[::-1]


def _compiled_gradient(
    net: _SummedNetwork,
    samples: Samples,
    inputs: jobs.Inputs,
    n_tiles: int,
    n_rows: int,
    blocks: Sequence[int],
) -> ShardGradient:
    """An update of no parameter, of one batch in one thread, leaves its gradient in the workspace.

    Piece by piece, each is an update of its own task; all but the first find the shares of rows done.
    """
    dtype, pieces = net.parameters.dtype, _pieces_of(net, blocks)
    is_weighted, is_listed = samples.weight is not None, n_tiles > 0
    layout = plan_layout(net, n_rows, is_training=True, is_weighted=is_weighted, is_listed=is_listed)
    division = _divide_by_pieces(net, n_rows, blocks)
    lists = make_lists(dtype, net.layers[0].dense.n_in, n_rows, n_tiles, inputs.indptr)
    workspace = make_workspace(layout, net, lists, division, np.zeros(6, np.uint64), 1)
    job = compiled.make_job(net, layout, SGD(), np.zeros((0, net.parameters.size), dtype))
    weight = np.empty((0, 1), dtype) if samples.weight is None else np.ascontiguousarray(samples.weight)
    y, order = np.ascontiguousarray(samples.y), np.zeros((1, n_rows), np.int64)
    data = jobs.Data(inputs, y, weight, order, n_rows, np.zeros((1, 1)), 0)
    trained, part = record_of(job), record_of(data)
    spaces = [workspace, *(workspace._replace(tasks=task[None]) for task in division.tasks)]
    whole, *tasks = [(room, load_kernel("run", trained, part, room)) for room in map(record_of, spaces)]

    def gradient(rows: Array, masks: np.random.Generator, out: Array, in_pieces: bool) -> Iterator[Computed]:
        order[0, : len(rows)] = rows
        workspace.stream[:] = stream_of(masks)
        workspace.gate[:] = 0
        part["batch_size"] = len(rows)
        for (room, run), piece in zip(tasks, pieces, strict=True) if in_pieces else [(whole, slice(None))]:
            room["gradient"]["at"] = address_of(out)
            run(1 + in_pieces)
            yield float(workspace.losses[0]) if workspace.gate[jobs.FINISHED] else math.nan, piece
            workspace.gate[[jobs.BEGUN, jobs.DONE]] = 1

    return gradient


def _divide_by_pieces(net: _SummedNetwork, n_rows: int, blocks: Sequence[int]) -> Division:
    """One share of rows, a part for each block of layer 1 and for each other layer, a task for each piece."""
    parts = [(0, *rows) for rows in pairwise(blocks)]
    parts += [(number, 0, layer.dense.n_in) for number, layer in enumerate(net.layers) if number > 0]
    tasks = np.zeros((len(blocks) - 1, 6), np.int64)  # they have all parts, and no parameter to update
    tasks[:, 0] = np.arange(len(tasks))[::-1]
    tasks[:, 1] = tasks[:, 0] + 1
    tasks[0, 1] = len(parts)
    return Division(np.array([0, n_rows]), np.array([0, len(net.layers)]), np.array(parts), tasks)
