"""Predictions of the compiled engine: the forward pass alone, some rows at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import update_wrapper
from typing import Any, TypeAlias, TypeVar
from weakref import WeakKeyDictionary, ref

import numpy as np

from deltarule.arrays import Array, Scaled
from deltarule.nn.engines import jobs
from deltarule.nn.engines.compilation import load_kernel
from deltarule.nn.engines.contract import TrainableNetwork
from deltarule.nn.engines.records import record_of, setter_of
from deltarule.nn.engines.threads import blas_of_one_thread, run_ranges
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

T = TypeVar("T")

#: Rows up to which every network keeps its plans; for more, a thread keeps those of its last network.
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
    return _outputs(net, x, with_last_z=False)


def last_z(net: TrainableNetwork, x: Array | Scaled) -> Array:
    """See :mod:`deltarule.nn.engines.contract`."""
    return _outputs(net, x, with_last_z=True)


def _outputs(net: TrainableNetwork, x: Array | Scaled, *, with_last_z: bool) -> Array:
    """Compute the outputs, or the last layer's z, by as many threads as so many rows are worth."""
    out = np.empty((len(x), net.layers[-1].dense.n_out), net.parameters.dtype)
    is_csr = isinstance(x, Scaled) and x.is_sparse
    predict_rows = (_csr_predictor if is_csr else _dense_predictor)(net, x, out, with_last_z)
    n_products = count_products(net, x, len(out))
    with blas_of_one_thread(n_products):
        run_ranges(len(out), n_products, predict_rows)
    return out


def _dense_predictor(
    net: TrainableNetwork, x: Array | Scaled, out: Array, with_last_z: bool
) -> Callable[[int, int], None]:
    """What puts the outputs for rows ``start`` to ``stop`` of dense inputs into ``out``."""
    given = X, shift, scale = dense_inputs(x, out.dtype)
    n_rows, n_tiles, flat = _room_for(len(X)), _count_tiles(net, X, shift), out.reshape(-1)
    key = n_rows, n_tiles, X.dtype, shift.size, scale.size, with_last_z

    def predict_rows(start: int, stop: int) -> None:
        idle = _idle(net, n_rows).setdefault(key, [])
        try:
            plan = idle.pop()
        except IndexError:
            plan = None
        if plan is None or plan.parameters is not net.parameters:
            lists = make_lists(out.dtype, X.shape[1], n_rows, n_tiles)
            plan = _Plan(net, _layout(net, n_rows, with_last_z), lists, given)
        plan.predict(given, flat, start, stop)
        idle.append(plan)

    return predict_rows


def _room_for(n_rows: int) -> int:
    """Return for how many rows at a time there is to be room, where there are so many in all."""
    return 1 if n_rows == 1 else FEW if n_rows <= FEW else CHUNK


class _Plan:
    """A kernel with what it computes in, for one thread at a time."""

    def __init__(self, net: TrainableNetwork, layout: WorkspaceLayout, lists: jobs.Lists, given: _Dense):
        X, shift, scale = given
        self.parameters, self.shift, self.scale = net.parameters, np.empty_like(shift), np.empty_like(scale)
        layers = jobs.Layers(net.parameters, layout.table, layout.layer_numbers)
        scratch, out = make_scratch(layout, net, lists), np.empty(0, net.parameters.dtype)
        record = record_of(jobs.Prediction(layers, scratch, X, self.shift, self.scale, out, layout.n_rows))
        self.put_rows, self.put_out = setter_of(record, "dense"), setter_of(record, "out")
        self.kernel = load_kernel("predict", record)

    def predict(self, given: _Dense, out: Array, start: int, stop: int) -> None:
        """Compute the outputs for rows ``start`` to ``stop``, in their places in ``out`` (n · n_outputs,)."""
        X, self.shift[:], self.scale[:] = given
        self.put_rows(X)
        self.put_out(out)
        self.kernel(start, stop)


@once_for_each_network
def _plans_for_few(net: TrainableNetwork) -> dict[Any, list[_Plan]]:
    """Plans for few rows that no thread uses at this moment, by what they are for."""
    return {}


class _Last(threading.local):
    """Of each thread, for which network it predicted many rows last, and the plans for them."""

    net: ref[TrainableNetwork] | None = None
    plans: dict[Any, list[_Plan]]


_last = _Last()


def _idle(net: TrainableNetwork, n_rows: int) -> dict[Any, list[_Plan]]:
    """Return the plans for so many rows that no other thread uses, by what they are for."""
    if n_rows <= FEW:
        return _plans_for_few(net)
    if _last.net is None or _last.net() is not net:
        _last.net, _last.plans = ref(net), {}
    return _last.plans


@once_for_each_network
def _layouts(net: TrainableNetwork) -> dict[tuple[int, bool], WorkspaceLayout]:
    """The layouts that were planned."""
    return {}


def _layout(net: TrainableNetwork, n_rows: int, with_last_z: bool) -> WorkspaceLayout:
    """Plan the scratch for so many rows, once; with the identity for the last activation where it gives z."""
    known = _layouts(net)
    if (n_rows, with_last_z) not in known:
        layout = plan_layout(net, n_rows, is_listed=n_rows == CSR_CHUNK)
        if with_last_z:
            layout.table[-1, jobs.ACTIVATION] = jobs.IDENTITY
        known[n_rows, with_last_z] = layout
    return known[n_rows, with_last_z]


def _count_tiles(net: TrainableNetwork, X: Array, shift: Array) -> int:
    """Return into how many tiles the columns of dense inputs are divided as lists; 0 where they stay dense.

    A row that comes alone goes by its inputs that are not 0, however many: reading W is what takes time.
    """
    if len(X) == 1:
        return int(X.shape[1] >= SPARSE_COLUMNS and not shift.size)
    return -(-X.shape[1] // TILE_COLUMNS) if is_mostly_zero(net, X, shift) else 0


def _csr_predictor(
    net: TrainableNetwork, x: Any, out: Array, with_last_z: bool
) -> Callable[[int, int], None]:
    """What puts the outputs for rows ``start`` to ``stop`` of sparse inputs into ``out``."""
    none = np.empty(0, out.dtype)
    given, nothing = (none.reshape(0, 0), none, none), make_lists(out.dtype, 0, 0, 0)
    layout = _layout(net, CSR_CHUNK, with_last_z)

    def predict_rows(start: int, stop: int) -> None:
        for first in range(start, max(stop, start + 1), CSR_CHUNK):
            last = min(first + CSR_CHUNK, stop)
            csr = x[first:last].batch(out.dtype)
            lists = nothing._replace(
                columns=np.append(csr.indices, 0).astype(np.int32),
                values=np.append(csr.data, 0).astype(out.dtype),
                starts=np.array([csr.indptr[:-1], csr.indptr[1:]], np.int64),
            )
            _Plan(net, layout, lists, given).predict(given, out[first:last].reshape(-1), 0, last - first)

    return predict_rows
