"""Predictions of the compiled engine: the forward pass alone, some rows at a time."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from deltarule.arrays import Array, Scaled
from deltarule.nn.engines import threads
from deltarule.nn.engines.compilation import compile_once, load_kernels
from deltarule.nn.engines.contract import TrainableNetwork
from deltarule.nn.engines.threads import START_PRODUCTS, blas_of_one_thread, count_threads, run_ranges
from deltarule.nn.engines.workspace import (
    SPARSE_COLUMNS,
    TILE_COLUMNS,
    WorkspaceLayout,
    count_products,
    dense_inputs,
    integer_type,
    is_mostly_zero,
    plan_layout,
    room_of_row,
)

T = TypeVar("T")

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
    is_csr = isinstance(x, Scaled) and x.is_sparse
    predict_rows = _csr_predictor(net, x, out) if is_csr else _dense_predictor(net, x, out)
    n_products = count_products(net, x, len(out))
    n_ranges = count_threads(min(len(out), int(n_products / (threads.THREAD_PRODUCTS + START_PRODUCTS))))
    with blas_of_one_thread(n_products):
        run_ranges(len(out), n_ranges, predict_rows)
    return out


@once_for_each_network
def _layouts(net: TrainableNetwork) -> tuple[WorkspaceLayout, WorkspaceLayout, WorkspaceLayout]:
    """For one row, for many, and for many that are CSR."""
    return plan_layout(net, 1), plan_layout(net, CHUNK), plan_layout(net, CSR_CHUNK, is_listed=True)


def _dense_predictor(net: TrainableNetwork, x: Array | Scaled, out: Array) -> Callable[[int, int], None]:
    """What puts the outputs for rows ``start`` to ``stop`` of dense inputs into ``out``."""
    parameters, dtype = net.parameters, net.parameters.dtype
    X, shift, scale = dense_inputs(x, dtype)
    layout = _layouts(net)[len(X) > 1]
    # A row that comes alone goes by its inputs that are not 0, however many: reading W is what takes time.
    wide = X.shape[1] >= SPARSE_COLUMNS and not shift.size
    is_listed = is_mostly_zero(net, X, shift) if len(X) > 1 else wide
    n_values = layout.n_rows * room_of_row(X.shape[1]) if is_listed else 0
    n_tiles = -(-X.shape[1] // TILE_COLUMNS) if is_listed and len(X) > 1 else int(is_listed)
    flat, kernel = out.reshape(-1), load_kernels().predict

    def predict_rows(start: int, stop: int) -> None:
        numbers, integers = np.empty(layout.length, dtype), np.empty(layout.n_exps, integer_type(dtype))
        columns, values = np.empty(n_values, np.int32), np.empty(n_values, dtype)
        starts = np.empty((n_tiles + 1, layout.n_rows), np.int64)
        kernel(start, stop, layout.n_rows, parameters, layout.table, layout.layer_numbers, X, shift, scale,
               layout.exps_at, layout.widest, numbers, integers, columns, values, starts, flat)  # fmt: skip

    compile_once("predict", dtype, X.dtype, lambda: predict_rows(0, 0))
    return predict_rows


def _csr_predictor(net: TrainableNetwork, x: Any, out: Array) -> Callable[[int, int], None]:
    """What puts the outputs for rows ``start`` to ``stop`` of sparse inputs into ``out``."""
    layout, parameters, dtype = _layouts(net)[2], net.parameters, net.parameters.dtype
    X, none, kernel = np.empty((0, 0), dtype), np.empty(0, dtype), load_kernels().predict

    def predict_rows(start: int, stop: int) -> None:
        numbers, integers = np.empty(layout.length, dtype), np.empty(layout.n_exps, integer_type(dtype))
        for first in range(start, max(stop, start + 1), layout.n_rows):
            last = min(first + layout.n_rows, stop)
            csr = x[first:last].batch(dtype)
            columns, values = np.append(csr.indices, 0).astype(np.int32), np.append(csr.data, 0).astype(dtype)
            starts = np.array([csr.indptr[:-1], csr.indptr[1:]], np.int64)
            flat = out[first:last].reshape(-1)
            kernel(0, last - first, layout.n_rows, parameters, layout.table, layout.layer_numbers, X, none,
                   none, layout.exps_at, layout.widest, numbers, integers, columns, values, starts,
                   flat)  # fmt: skip

    compile_once("predict", dtype, X.dtype, lambda: predict_rows(0, 0))
    return predict_rows
