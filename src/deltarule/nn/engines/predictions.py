"""Predictions of the compiled engine: the forward pass alone, some rows at a time."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from deltarule.arrays import Array, Scaled
from deltarule.nn.engines import jobs, threads
from deltarule.nn.engines.compilation import load_kernel
from deltarule.nn.engines.contract import TrainableNetwork
from deltarule.nn.engines.records import record_of
from deltarule.nn.engines.threads import START_PRODUCTS, blas_of_one_thread, count_threads, run_ranges
from deltarule.nn.engines.workspace import (
    SPARSE_COLUMNS,
    TILE_COLUMNS,
    WorkspaceLayout,
    count_products,
    dense_inputs,
    is_mostly_zero,
    make_lists,
    make_scratch,
    plan_layout,
)

#: Rows, and what to subtract from each and to divide it by, empty where that is nothing.
_Dense: TypeAlias = tuple[Array, Array, Array]
_Layouts: TypeAlias = tuple[WorkspaceLayout, WorkspaceLayout, WorkspaceLayout]

T = TypeVar("T")

#: Rows up to which a plan is kept, since making one takes longer than they do.
FEW = 32
#: Rows to predict at a time …
CHUNK = 256
#: … and where they are CSR, which Python cuts: threads wait for each other then.
CSR_CHUNK = 1024


def once_for_each_network(function: Callable[[TrainableNetwork], T]) -> Callable[[TrainableNetwork], T]:
    """Remember what a function returned for a network, for as long as there is the network."""
    known: WeakKeyDictionary[TrainableNetwork, T] = WeakKeyDictionary()

    def remembered(net: TrainableNetwork) -> T:
        try:
            return known[net]
        except KeyError:
            return known.setdefault(net, function(net))

    return update_wrapper(remembered, function)


def predict(net: TrainableNetwork, x: Array | Scaled) -> Array:
    """See :mod:`deltarule.nn.engines.contract`."""
    out = np.empty((len(x), net.layers[-1].dense.n_out), net.parameters.dtype)
    if len(x) <= FEW and not (isinstance(x, Scaled) and x.is_sparse):
        _predict_few(net, dense_inputs(x, out.dtype), out)
    else:
        _predict_many(net, x, _layouts(net), out)
    return out


def last_z(net: TrainableNetwork, x: Array | Scaled) -> Array:
    """See :mod:`deltarule.nn.engines.contract`."""
    out = np.empty((len(x), net.layers[-1].dense.n_out), net.parameters.dtype)
    _predict_many(net, x, _layouts_of_z(net), out)
    return out


def _predict_many(net: TrainableNetwork, x: Array | Scaled, layouts: _Layouts, out: Array) -> None:
    is_csr = isinstance(x, Scaled) and x.is_sparse
    predict_rows = (_csr_predictor if is_csr else _dense_predictor)(net, x, layouts, out)
    n_products = count_products(net, x, len(out))
    n_ranges = count_threads(min(len(out), int(n_products / (threads.THREAD_PRODUCTS + START_PRODUCTS))))
    with blas_of_one_thread(n_products):
        run_ranges(len(out), n_ranges, predict_rows)


@once_for_each_network
def _layouts(net: TrainableNetwork) -> _Layouts:
    """For one row, for many, and for many that are CSR."""
    return plan_layout(net, 1), plan_layout(net, CHUNK), plan_layout(net, CSR_CHUNK, is_listed=True)


@once_for_each_network
def _layouts_of_z(net: TrainableNetwork) -> _Layouts:
    """The same, with the identity for the last activation."""
    one, many, csr = (layout._replace(table=layout.table.copy()) for layout in _layouts(net))
    for layout in (one, many, csr):
        layout.table[-1, jobs.ACTIVATION] = jobs.IDENTITY
    return one, many, csr


def _predict(
    net: TrainableNetwork, layout: WorkspaceLayout, lists: jobs.Lists, inputs: _Dense, out: Array
) -> None:
    """Put the outputs for dense inputs, or for those in the lists, into ``out``."""
    plan = _plan(net, layout, lists, inputs, out)
    load_kernel("predict", record_of(plan))(0, len(out))


def _plan(
    net: TrainableNetwork, layout: WorkspaceLayout, lists: jobs.Lists, inputs: _Dense, out: Array
) -> jobs.Prediction:
    layers = jobs.Layers(net.parameters, layout.table, layout.layer_numbers)
    scratch = make_scratch(layout, net, lists)
    return jobs.Prediction(layers, scratch, *inputs, out.reshape(-1), layout.n_rows)


@once_for_each_network
def _idle_plans(net: TrainableNetwork) -> dict[Any, list[tuple[Any, Any]]]:
    """Plans for few rows that no thread uses at this moment, and their kernels, by what they are for."""
    return {}


def _predict_few(net: TrainableNetwork, given: _Dense, out: Array) -> None:
    """Predict few rows, copied into a plan that is there, or is made and kept."""
    x, shift, scale = given
    n = len(x)
    n_rows = 1 if n == 1 else FEW
    n_tiles = _count_tiles(net, x, shift)
    idle = _idle_plans(net).setdefault((n_rows, n_tiles, x.dtype, shift.size, scale.size), [])
    try:
        plan, kernel = idle.pop()
    except IndexError:
        plan = kernel = None
    if plan is None or plan.layers.parameters is not net.parameters:
        inputs = np.empty((n_rows, x.shape[1]), x.dtype), np.empty_like(shift), np.empty_like(scale)
        lists = make_lists(out.dtype, x.shape[1], n_rows, n_tiles)
        plan = _plan(
            net, plan_layout(net, n_rows), lists, inputs, np.empty((n_rows, out.shape[1]), out.dtype)
        )
        kernel = load_kernel("predict", record_of(plan))
    plan.dense[:n], plan.shift[:], plan.scale[:] = x, shift, scale
    with blas_of_one_thread(n * net.parameters.size):
        kernel(0, n)
    out.reshape(-1)[:] = plan.out[: out.size]
    idle.append((plan, kernel))


def _dense_predictor(
    net: TrainableNetwork, x: Array | Scaled, layouts: _Layouts, out: Array
) -> Callable[[int, int], None]:
    """What puts the outputs for rows ``start`` to ``stop`` of dense inputs into ``out``."""
    X, shift, scale = dense_inputs(x, out.dtype)
    layout, n_tiles = layouts[len(X) > 1], _count_tiles(net, X, shift)

    def predict_rows(start: int, stop: int) -> None:
        lists, rows = make_lists(out.dtype, X.shape[1], layout.n_rows, n_tiles), slice(start, stop)
        _predict(net, layout, lists, (X[rows], shift, scale), out[rows])

    return predict_rows


def _count_tiles(net: TrainableNetwork, X: Array, shift: Array) -> int:
    """Return into how many tiles the columns of dense inputs are divided as lists; 0 where they stay dense.

    A row that comes alone goes by its inputs that are not 0, however many: reading W is what takes time.
    """
    if len(X) == 1:
        return int(X.shape[1] >= SPARSE_COLUMNS and not shift.size)
    return -(-X.shape[1] // TILE_COLUMNS) if is_mostly_zero(net, X, shift) else 0


def _csr_predictor(
    net: TrainableNetwork, x: Any, layouts: _Layouts, out: Array
) -> Callable[[int, int], None]:
    """What puts the outputs for rows ``start`` to ``stop`` of sparse inputs into ``out``."""
    none = np.empty(0, out.dtype)
    nothing = make_lists(out.dtype, 0, 0, 0)

    def predict_rows(start: int, stop: int) -> None:
        for first in range(start, max(stop, start + 1), CSR_CHUNK):
            last = min(first + CSR_CHUNK, stop)
            csr = x[first:last].batch(out.dtype)
            lists = nothing._replace(
                columns=np.append(csr.indices, 0).astype(np.int32),
                values=np.append(csr.data, 0).astype(out.dtype),
                starts=np.array([csr.indptr[:-1], csr.indptr[1:]], np.int64),
            )
            _predict(net, layouts[2], lists, (none.reshape(0, 0), none, none), out[first:last])

    return predict_rows
