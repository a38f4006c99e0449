"""The compiled engine: the reference's epochs, run by one compiled function (Numba).

It gives the reference's numbers to the last few bits. Deleting it costs speed only.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from deltarule.activations import ACTIVATIONS
from deltarule.arrays import Array
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
    layout = _layout(model, size, samples.weight is not None, kernels)
    wide = np.int64 if theta.itemsize == 8 else np.int32
    numbers = [float(getattr(optimizer, name)) for name in NUMBERS[optimizer.name]]
    losses = np.empty(len(rates))

    def run(rates: Array) -> int:
        finished: int = kernels.run(
            theta,
            slots,
            layout.plan,
            layout.numbers,
            _loss_numbers(model, kernels),
            np.array([objective.l1, objective.l2, optimizer.clip_norm or 0.0], dtype=float),
            kernels.OPTIMIZERS.index(optimizer.name),
            np.array(numbers + [0.0] * (4 - len(numbers))),
            np.ascontiguousarray(samples.x),
            samples.y,
            np.empty((0, 1), theta.dtype) if samples.weight is None else samples.weight,
            np.empty((0, 0), np.int64) if orders is None else orders,
            size,
            rates,
            t,
            rng,
            model.frozen,
            model.decaying,
            layout.places,
            np.empty(layout.length, theta.dtype),
            np.empty(layout.scratch, wide),
            losses,
        )
        return finished

    types = (theta.dtype, samples.x.dtype)
    if types not in _ready:
        with _one_process_at_a_time(), _patience():
            run(rates[:0])  # no epochs: this only compiles, or loads what was compiled before
        _ready.add(types)
    return losses[: run(rates)]


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
    """Where everything lies in the kernels' one work array; see ``kernels.run``."""

    plan: Array
    numbers: Array
    places: Array
    length: int
    scratch: int


def _layout(model: Model, size: int, weighted: bool, kernels: Any) -> _Layout:
    layers = [layer.dense for layer in model.layers]
    scratch = size * max(layer.n_out for layer in layers)
    length = 0

    def room(count: int) -> int:
        nonlocal length
        length += count
        return length - count

    places = [room(size * layers[0].n_in), room(size * layers[-1].n_out), -1, room(scratch)]
    if weighted:
        places[2] = room(size)
    plan, numbers, inputs, start = [], [], places[0], 0
    for layer in layers:
        mask = -1
        if layer.dropout:
            mask, inputs = room(size * layer.n_in), room(size * layer.n_in)
        bias, activation = (
            kernels.BIASES.index(layer.bias),
            kernels.ACTIVATIONS.index(_kind(layer.activation)),
        )
        z, a, delta = (room(size * layer.n_out) for _ in range(3))
        where = (start, start + layer.n_weights)
        plan.append((layer.n_in, layer.n_out, *where, bias, activation, inputs, z, a, delta, mask))
        numbers.append((layer.activation.parameter, layer.dropout))
        inputs, start = a, start + layer.n_parameters
    return _Layout(np.array(plan), np.array(numbers, dtype=float), np.array(places), length, scratch)
