"""The compiled engine: the reference's epochs, run by one compiled function (Numba).

It gives the reference's numbers to the last few bits. Deleting it costs speed only.
"""

from __future__ import annotations

import math
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from deltarule.activations import ACTIVATIONS
from deltarule.arrays import Array, Scaled
from deltarule.engines.contract import Model, Samples
from deltarule.losses import LOSSES
from deltarule.optimizers import GradientStep
from deltarule.registry import import_extra

__all__ = ["cannot_run", "run_epochs"]

#: Rows times parameters to go through in one call, beyond a first epoch: a tenth of a second or so.
BLOCK = 10_000_000

#: The numbers of each optimizer that the kernels take, in their order.
NUMBERS = {
    "sgd": (),
    "momentum": ("momentum",),
    "nesterov": ("momentum",),
    "adagrad": ("epsilon",),
    "rmsprop": ("rho", "epsilon"),
    "adam": ("beta1", "beta2", "epsilon"),
    "adamw": ("beta1", "beta2", "epsilon", "weight_decay"),
}


def cannot_run(model: Model, optimizer: GradientStep) -> str:
    """Why the compiled engine cannot train this network; empty where it can."""
    kernels = _kernels()
    for layer in model.layers:
        activation = layer.activation
        if _kind(activation) not in kernels.ACTIVATIONS or not ACTIVATIONS.holds(activation):
            return f"activation {activation.name!r} is not one of its own"
    loss = model.objective.loss
    if _kind(loss) not in kernels.LOSSES or not LOSSES.holds(loss):
        return f"loss {loss.name!r} is not one of its own"
    if type(optimizer).__module__ != GradientStep.__module__ or optimizer.name not in NUMBERS:
        return f"optimizer {optimizer.name!r} is not one of its own"
    return ""


def run_epochs(
    model: Model,
    samples: Samples,
    size: int,
    orders: Array | None,
    optimizer: GradientStep,
    slots: Array,
    rates: Array,
    t: int,
    rng: np.random.Generator,
) -> Array:
    """See :mod:`deltarule.engines.contract`."""
    kernels = _kernels()
    theta, objective = model.parameters, model.objective
    x, shift, scale = _plain(samples.x, theta.dtype)
    shares = _count_shares(model, size)
    layout = _layout(model, math.ceil(size / shares), size, samples.weight is not None, kernels)
    wide = np.int64 if theta.itemsize == 8 else np.int32
    room = layout.rows * x.shape[1] + 1 if _is_sparse(model, x, shift) else 0
    numbers = [float(getattr(optimizer, name)) for name in NUMBERS[optimizer.name]]
    losses = np.empty(len(rates))
    gate = np.zeros(16, np.int64)
    arguments = (
        gate,
        np.zeros((4, shares)),
        theta,
        slots,
        np.empty((shares, theta.size), theta.dtype),
        np.empty_like(theta),
        layout.plan,
        layout.numbers,
        _loss_numbers(model, kernels),
        np.array([objective.l1, objective.l2, optimizer.clip_norm or 0.0], dtype=float),
        kernels.OPTIMIZERS.index(optimizer.name),
        np.array(numbers + [0.0] * (4 - len(numbers))),
        x,
        shift,
        scale,
        samples.y,
        np.empty((0, 1), theta.dtype) if samples.weight is None else samples.weight,
        np.empty((0, 0), np.int64) if orders is None else orders,
        size,
    )
    scratch = (
        t,
        rng,
        model.frozen,
        model.decaying,
        layout.places,
        np.empty((shares, layout.length), theta.dtype),
        np.empty(layout.masked, theta.dtype),
        np.empty((shares, layout.scratch), wide),
        np.empty((shares, room), np.int32),
        np.empty((shares, room), theta.dtype),
        np.empty((shares, layout.rows if room else 0), np.int64),
        losses,
    )

    def run(share: int, rates: Array) -> int:
        finished: int = kernels.run(share, *arguments, rates, *scratch)
        return finished

    types = (theta.dtype, x.dtype)
    if types not in _ready:
        with _one_process_at_a_time(), _patience():
            run(0, rates[:0])  # no epochs: this only compiles, or loads what was compiled before
        _ready.add(types)
    with _blas().limit(limits=1):
        finished = run(0, rates) if shares == 1 else _together(shares, lambda share: run(share, rates))
    return losses[:finished]


def _plain(x: Array | Scaled, dtype: np.dtype[Any]) -> tuple[Array, Array, Array]:
    """The inputs in C order, and their shift and scale, which are empty where there are none."""
    if isinstance(x, Scaled):
        return np.ascontiguousarray(x.values), x.shift.astype(dtype), x.scale.astype(dtype)
    return np.ascontiguousarray(x), np.empty(0, dtype), np.empty(0, dtype)


#: Rows times parameters of a batch that are worth a thread of their own.
WORTH_A_THREAD = 250_000


def _count_shares(model: Model, size: int) -> int:
    """Into how many parts a batch is divided, each for a thread."""
    config = import_module("numba.core.config")
    if config.DISABLE_JIT:
        return 1
    return max(1, min(config.NUMBA_NUM_THREADS, size * model.parameters.size // WORTH_A_THREAD, size))


#: Inputs count as sparse where fewer than this share of them, in the first rows, is not 0.
DENSE = 0.3
#: The largest first layer, in bytes, whose rows a processor's cache holds.
CACHE = 1_000_000


def _is_sparse(model: Model, x: Array, shift: Array) -> bool:
    """Whether layer 1 goes by the inputs that are not 0."""
    dense, few = model.layers[0].dense, x[:1000]
    fits = dense.n_in >= 64 and dense.n_weights * model.parameters.itemsize <= CACHE
    return bool(fits and not dense.dropout and not shift.any() and np.count_nonzero(few) < DENSE * few.size)


@cache
def _blas() -> Any:
    """The libraries of matrix products: each thread calls them for itself, so each call takes one thread."""
    import_module("scipy.linalg.cython_blas")
    return import_extra("threadpoolctl", "fast").ThreadpoolController().select(user_api="blas")


def _together(shares: int, run: Callable[[int], int]) -> int:
    """Every share in a thread of its own, while this one waits; the result of the first."""
    results = [0] * shares
    all_here = threading.Barrier(shares)

    def work(share: int) -> None:
        with suppress(threading.BrokenBarrierError):
            all_here.wait()
            results[share] = run(share)

    threads = [threading.Thread(target=work, args=(share,)) for share in range(shares)]
    interrupted = False
    try:
        for thread in threads:
            thread.start()
    except RuntimeError:  # the system has no more threads: those that wait for the others are let go
        all_here.abort()
        raise
    while any(thread.is_alive() for thread in threads):
        try:
            for thread in threads:
                thread.join()
        except KeyboardInterrupt:  # they work on the network: let them come to the end of it
            interrupted = True
    if interrupted:
        raise KeyboardInterrupt
    return results[0]


def _kernels() -> Any:
    import_extra("numba", "fast")
    return import_module("deltarule.engines.kernels")


#: The number types, of parameters and inputs, for which the kernels are compiled and loaded.
_ready: set[tuple[np.dtype[Any], np.dtype[Any]]] = set()


@contextmanager
def _patience() -> Iterator[None]:
    """A line on the terminal where compiling takes long."""
    text = "compiling for the first time, some seconds …"
    timer = threading.Timer(1.0, print, [text], {"file": sys.stderr})
    if sys.stderr is not None and sys.stderr.isatty():
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def _one_process_at_a_time() -> Iterator[None]:
    """Numba's files of compiled functions do not stand two processes that write at once."""
    try:
        import fcntl
        import tempfile

        path = os.path.join(tempfile.gettempdir(), f"deltarule-{os.getuid()}.lock")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except (ImportError, OSError):  # no such thing here, or no place for it: go without
        yield
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _kind(record: Any) -> str:
    """``leaky_relu`` of ``leaky_relu(0.2)``."""
    return str(record.name.partition("(")[0])


def _loss_numbers(model: Model, kernels: Any) -> Array:
    loss, limits = model.objective.loss, np.finfo(model.parameters.dtype)
    return np.array(
        [
            kernels.LOSSES.index(_kind(loss)),
            loss.parameter,
            model.objective.fused is not None,
            model.objective.reduction == "mean",
            np.sqrt(float(limits.tiny)),
            limits.eps,
        ],
        dtype=float,
    )


class _Layout(NamedTuple):
    """Where everything lies in the kernels' arrays of work and masks; see ``kernels.run``."""

    plan: Array
    numbers: Array
    places: Array
    rows: int
    length: int
    scratch: int
    masked: int


def _layout(model: Model, rows: int, size: int, weighted: bool, kernels: Any) -> _Layout:
    """For ``rows`` of a batch of ``size``."""
    layers = [layer.dense for layer in model.layers]
    scratch = rows * max(layer.n_out for layer in layers)
    length = masked = 0

    def room(count: int) -> int:
        nonlocal length
        length += count
        return length - count

    inputs = room(rows * layers[0].n_in)
    places = [room(rows * layers[-1].n_out), room(rows if weighted else 0), room(scratch)]
    plan, numbers, start = [], [], 0
    for layer in layers:
        mask = -1
        if layer.dropout:
            mask, inputs = masked, room(rows * layer.n_in)
            masked += size * layer.n_in
        kind, activation = (
            kernels.BIASES.index(layer.bias),
            kernels.ACTIVATIONS.index(_kind(layer.activation)),
        )
        z, a, delta = (room(rows * layer.n_out) for _ in range(3))
        where = (start, start + layer.n_weights)
        plan.append((layer.n_in, layer.n_out, *where, kind, activation, inputs, z, a, delta, mask))
        numbers.append((layer.activation.parameter, layer.dropout))
        inputs, start = a, start + layer.n_parameters
    return _Layout(
        np.array(plan), np.array(numbers, dtype=float), np.array(places), rows, length, scratch, masked
    )
