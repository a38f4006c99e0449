"""What the kernels are given: the tasks, where everything lies in the scratch, the inputs as they take them.

The kernels' docstring explains the layout.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from deltarule.arrays import LINE, Array, Scaled, Sparse, aligned_zeros
from deltarule.nn.engines import threads
from deltarule.nn.engines.contract import TrainableNetwork
from deltarule.nn.engines.jobs import ACTIVATIONS, Inputs, Lists, Scratch, Workspace
from deltarule.nn.layers import BIAS_KINDS, Dense

#: A batch's rows are divided into so many shares at most, …
MOST_SHARES = 8
#: … of at least so many rows, where that leaves two: each share reads all weights, …
SHARE_ROWS = 64
#: … of more where BLAS brings those of layer 1 into the order it needs, for each share anew, …
DENSE_ROWS = 128
#: … and, where there are so many weights that no cache keeps them, at least of these and of a core's part.
WIDE_ROWS, WIDE_PARAMETERS = 256, 1_000_000
#: Up to so many rows, columns of such a layer are divided instead: BLAS reorders its weights once, not twice.
FEW_ROWS = 256
#: Columns of a tile of lists, and how many tiles there are at most.
TILE_COLUMNS = 128
MOST_TILES = 16
#: By how much a weight takes longer for an input in a list than for one that is not.
LISTED_COST = 3.0
#: Inputs go by those that are not 0 where there are so many columns of them …
SPARSE_COLUMNS = 64
#: … and, in the first rows, a smaller share than this is not 0.
SPARSE_SHARE = 0.3


class WorkspaceLayout(NamedTuple):
    """Where everything lies in the scratch and in the masks."""

    table: Array  # (n_layers, 11) of int: see ``jobs.Layers``
    layer_numbers: Array  # (n_layers, 2)
    y_at: int
    weight_at: int
    exps_at: int
    packed_at: int
    widest: int  # neurons of a layer
    n_rows: int
    length: int  # of ``Scratch.numbers``
    n_exps: int
    n_masked: int  # numbers in all dropout masks


def _whole_lines(count: int) -> int:
    return math.ceil(count / LINE) * LINE


def plan_layout(
    net: TrainableNetwork,
    n_rows: int,
    *,
    is_training: bool = False,
    is_weighted: bool = False,
    is_listed: bool = False,
) -> WorkspaceLayout:
    """Plan the scratch.

    Parameters
    ----------
    net : TrainableNetwork
    n_rows : int
        Of a batch.
    is_training : bool
        Whether dropout is at work.
    is_weighted : bool
        Whether rows have sample weights.
    is_listed : bool
        Whether the inputs come as lists, which need no room for x.
    """
    layers, length = [layer.dense for layer in net.layers], 0

    def reserve(count: int) -> int:
        """Return where the next part lies, of so many numbers; each part starts at a cache line."""
        nonlocal length
        start, length = length, length + _whole_lines(count)
        return start

    widest = max(layer.n_out for layer in layers)
    n_exps = n_rows * widest
    x_at = reserve(0 if is_listed else n_rows * layers[0].n_in)
    y_at = reserve(n_rows * layers[-1].n_out)
    weight_at = reserve(n_rows if is_weighted else 0)
    exps_at = reserve(n_exps)
    packed_at = reserve(n_rows * _whole_lines(layers[0].n_out) if is_listed and is_training else 0)
    start, n_masked = 0, 0
    table: list[tuple[int, ...]] = []
    for layer in layers:
        mask_at = -1
        if layer.dropout and is_training:
            mask_at, x_at = n_masked, reserve(0 if is_listed and not table else n_rows * layer.n_in)
            n_masked += n_rows * layer.n_in
        z_at, a_at, delta_at = (reserve(n_rows * layer.n_out) for _ in range(3))
        codes = BIAS_KINDS.index(layer.bias), ACTIVATIONS.index(layer.activation.kind)
        places = x_at, z_at, a_at, delta_at, mask_at
        table.append((layer.n_in, layer.n_out, start, start + layer.n_weights, *codes, *places))
        x_at, start = a_at, start + layer.n_parameters
    numbers = np.array([(layer.activation.parameter, layer.dropout) for layer in layers], dtype=float)
    return WorkspaceLayout(
        np.array(table),
        numbers,
        y_at,
        weight_at,
        exps_at,
        packed_at,
        widest,
        n_rows,
        length,
        n_exps,
        n_masked,
    )


class Division(NamedTuple):
    """The tasks of an update: they depend on the job and the machine, not on threads, and so do its bits."""

    share_starts: Array  # see ``jobs.Workspace``
    stages: Array
    parts: Array
    tasks: Array


def divide_job(net: TrainableNetwork, n_rows: int, n_products: float, tile_shares: Array) -> Division:
    """Divide a batch's rows into shares, and the parameters into parts of layers, the first one's tiles.

    The tasks that take longest come first, so that threads end together.

    Parameters
    ----------
    net : TrainableNetwork
    n_rows : int
        Of a batch.
    n_products : float
        Multiplications that a batch takes forwards.
    tile_shares : Array
        What :func:`tile_shares_of` returns.
    """
    is_divided, n_tiles = threads.is_divided(n_products), len(tile_shares)
    rows = SHARE_ROWS if n_tiles else DENSE_ROWS
    if net.parameters.size >= WIDE_PARAMETERS:
        rows = max(WIDE_ROWS, n_rows // (os.cpu_count() or 1))
    n_shares = min(n_rows, MOST_SHARES, max(2, n_rows // rows)) if is_divided else 1
    parts, starts = _parts([layer.dense for layer in net.layers], is_divided, n_tiles)
    firsts = range(len(parts)) if is_divided else [0]
    ends = [*firsts[1:], len(parts)]
    tasks = [(low, high, starts[low], starts[high]) for low, high in zip(firsts, ends, strict=True)]
    costs = np.diff(starts)
    costs[:n_tiles] = costs[:n_tiles] * LISTED_COST * tile_shares
    tasks = [tasks[i] for i in np.argsort(-costs, kind="stable")] if is_divided else tasks
    frozen = np.searchsorted(net.frozen, [task[2:] for task in tasks])
    share_starts = np.arange(n_shares + 1) * n_rows // n_shares
    stages = [0, *(_divided_layers(net, n_rows) if n_shares > 1 else []), len(net.layers)]
    return Division(share_starts, np.array(stages), np.array(parts), np.hstack([tasks, frozen]))


def _divided_layers(net: TrainableNetwork, n_rows: int) -> list[int]:
    """Return the layers of which each task computes some columns, since there are few rows for their weights.

    The first layer's inputs may be lists; and dropout goes by rows.
    """
    layers = [layer.dense for layer in net.layers]
    return [
        number
        for number, layer in enumerate(layers)
        if number and layer.n_weights >= WIDE_PARAMETERS and n_rows <= FEW_ROWS and not layer.dropout
    ]


def _parts(
    layers: Sequence[Dense], is_divided: bool, n_tiles: int
) -> tuple[list[tuple[int, int, int]], list[int]]:
    """Return parts of layers: layer, first and last row of W; and where each begins in the parameters."""
    n_weights = sum(layer.n_weights for layer in layers)
    parts, starts, start = [], [0], 0
    for number, layer in enumerate(layers):
        n_parts = (
            min(layer.n_in, max(1, round(MOST_SHARES * layer.n_weights / n_weights))) if is_divided else 1
        )
        if number == 0 and n_tiles:
            n_parts = n_tiles
        bounds = [layer.n_in * part // n_parts for part in range(n_parts + 1)]
        parts += [(number, *rows) for rows in pairwise(bounds)]
        starts += [start + bound * layer.n_out for bound in bounds[1:]]
        start += layer.n_parameters
        starts[-1] = start  # the biases belong to the last part
    return parts, starts


def make_workspace(
    layout: WorkspaceLayout,
    net: TrainableNetwork,
    lists: Lists,
    division: Division,
    stream: Array,
    n_epochs: int,
) -> Workspace:
    """Make the arrays that training computes in, once for all epochs."""
    parameters, dtype = net.parameters, net.parameters.dtype
    n_sums = max(len(division.share_starts) - 1, len(division.tasks))
    return Workspace(
        scratch=make_scratch(layout, net, lists),
        share_starts=division.share_starts,
        stages=division.stages,
        parts=division.parts,
        tasks=division.tasks,
        masks=np.empty(layout.n_masked, dtype),
        stream=stream,
        gradient=aligned_zeros(parameters.shape, dtype),
        before=np.empty_like(parameters),
        gate=np.zeros(32, np.int64),
        sums=np.zeros((5, n_sums)),
        totals=np.zeros(2),
        losses=np.empty(n_epochs),
    )


def make_scratch(layout: WorkspaceLayout, net: TrainableNetwork, lists: Lists) -> Scratch:
    """Make what the rows of a batch are computed in."""
    dtype = net.parameters.dtype
    return Scratch(
        numbers=aligned_zeros((layout.length,), dtype),
        y_at=layout.y_at,
        weight_at=layout.weight_at,
        exps_at=layout.exps_at,
        packed_at=layout.packed_at,
        widest=layout.widest,
        integers=np.empty(layout.n_exps, np.int64 if dtype.itemsize == 8 else np.int32),
        lists=lists,
    )


def make_lists(
    dtype: np.dtype[Any], n_in: int, n_rows: int, n_tiles: int, indptr: Array | None = None
) -> Lists:
    """Make room for so many rows of inputs as lists, whichever rows of CSR they are; none without tiles.

    A dense row needs more places than it has numbers: a vector may reach beyond its end.
    """
    room = 0
    if n_tiles and indptr is not None and indptr.size:
        room = max(1, int(np.sort(np.diff(indptr))[-n_rows:].sum()))
    elif n_tiles:
        room = max(1, n_rows * (n_in + 16))
    return Lists(
        columns=np.empty(room, np.int32),
        values=np.empty(room, dtype),
        starts=np.empty((n_tiles + 1, n_rows if n_tiles else 0), np.int64),
        rows=np.empty(room, np.int32),
        row_values=np.empty(room, dtype),
        column_ends=np.empty(n_in if n_tiles else 0, np.int64),
    )


def tile_shares_of(net: TrainableNetwork, inputs: Inputs) -> Array:
    """Return which share of each tile's inputs is not 0, in the first rows; no tiles where they are dense."""
    n_in = net.layers[0].dense.n_in
    if inputs.indptr.size:
        n_rows = min(100, inputs.indptr.size - 1)
        counts = np.bincount(inputs.indices[: inputs.indptr[n_rows]], minlength=n_in)
    elif is_mostly_zero(net, inputs.dense, inputs.shift):
        n_rows = len(inputs.dense[:100])
        counts = np.count_nonzero(inputs.dense[:n_rows], axis=0)
    else:
        return np.empty(0)
    n_tiles = min(MOST_TILES, -(-n_in // TILE_COLUMNS))
    bounds = np.arange(n_tiles + 1) * n_in // n_tiles
    shares: Array = np.add.reduceat(counts, bounds[:-1]) / (np.diff(bounds) * n_rows)
    return shares


def kernel_inputs(x: Array | Scaled, dtype: np.dtype[Any]) -> Inputs:
    """Return inputs as the kernels take them, arrays that do not apply empty."""
    X, shift, scale = dense_inputs(x, dtype)
    if isinstance(x, Scaled) and isinstance(x.values, Sparse):
        csr = x.values.csr
        indptr, indices = csr.indptr.astype(np.int64), np.ascontiguousarray(csr.indices, np.int32)
        values = np.ascontiguousarray(csr.data)
    else:
        indptr, indices, values = np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, X.dtype)
    return Inputs(X, indptr, indices, values, shift, scale)


def dense_inputs(x: Array | Scaled, dtype: np.dtype[Any]) -> tuple[Array, Array, Array]:
    """Return inputs in C order, empty where they are sparse; shift and scale, empty where there are none."""
    none = np.empty(0, dtype)
    if not isinstance(x, Scaled):
        return np.ascontiguousarray(x), none, none
    shift, scale = x.shift.astype(dtype) if x.shift.any() else none, x.scale.astype(dtype)
    if isinstance(x.values, Sparse):
        return np.empty((0, 0), x.values.dtype), shift, scale
    return np.ascontiguousarray(x.values), shift, scale


def is_mostly_zero(net: TrainableNetwork, x: Array, shift: Array) -> bool:
    """Return whether layer 1 goes by the dense inputs that are not 0."""
    dense, few = net.layers[0].dense, x[:100]
    possible = dense.n_in >= SPARSE_COLUMNS and not dense.dropout and not shift.size
    return bool(possible and np.count_nonzero(few != 0) < SPARSE_SHARE * few.size)


def count_products(net: TrainableNetwork, x: Array | Scaled, n_rows: int) -> float:
    """Count the multiplications that so many rows take forwards, without the zeros of sparse inputs."""
    products: float = net.parameters.size
    if isinstance(x, Scaled) and isinstance(x.values, Sparse):
        layer = net.layers[0].dense
        products += (x.values.csr.nnz / len(x) - layer.n_in) * layer.n_out
    return n_rows * products
