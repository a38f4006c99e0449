"""The compiled engine: the reference's epochs, run by one compiled function (Numba).

It gives the reference's numbers to the last few bits. Deleting it costs speed only.
"""

from __future__ import annotations

import gc
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import cache, update_wrapper
from importlib import import_module
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from deltarule.arrays import LINE, Array, Scaled, Sparse, aligned_empty
from deltarule.nn.activations import ACTIVATIONS
from deltarule.nn.engines.contract import Model, Samples
from deltarule.nn.losses import LOSSES
from deltarule.nn.optimizers import GradientStep
from deltarule.registry import import_extra

__all__ = ["cannot_predict", "cannot_train", "predict", "run_epochs"]

T = TypeVar("T")


def _once_for_each_model(function: Callable[[Model], T]) -> Callable[[Model], T]:
    """Remember what a function returned for a model, for as long as there is the model."""
    known: WeakKeyDictionary[Model, T] = WeakKeyDictionary()

    def remembered(model: Model) -> T:
        try:
            return known[model]
        except KeyError:
            return known.setdefault(model, function(model))

    return update_wrapper(remembered, function)


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
    "adam_hat": ("beta1", "beta2", "epsilon"),
    "adamw": ("beta1", "beta2", "epsilon", "weight_decay"),
}


@_once_for_each_model
def cannot_predict(model: Model) -> str:
    """Why the compiled engine cannot run this network; empty where it can."""
    kernels = _kernels()
    for layer in model.layers:
        activation = layer.activation
        if _kind(activation) not in kernels.ACTIVATIONS or not ACTIVATIONS.is_registered(activation):
            return f"activation {activation.name!r} is not one of its own"
    return ""


def cannot_train(model: Model, optimizer: GradientStep) -> str:
    """Why the compiled engine cannot train this network; empty where it can."""
    kernels, reason = _kernels(), cannot_predict(model)
    if reason:
        return reason
    loss = model.objective.loss
    if _kind(loss) not in kernels.LOSSES or not LOSSES.is_registered(loss):
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
    """See :mod:`deltarule.nn.engines.contract`."""
    kernels = _kernels()
    theta, objective = model.parameters, model.objective
    x, shift, scale = _plain(samples.x, theta.dtype)
    indptr, indices, data = _lists(samples.x, x.dtype)
    listed = indptr.size > 0
    work = _work(model, samples.x, size)
    # Lists leave most of dW 0, but every thread fills all of its own and adds some of all others'.
    shares = _count_shares(size, work, theta.size if listed else 0)
    layout = _layout(model, math.ceil(size / shares), size, samples.weight is not None, listed)
    room = _most(indptr, layout.rows) if listed else _is_sparse(model, x, shift) * layout.rows * x.shape[1]
    numbers = [float(getattr(optimizer, name)) for name in NUMBERS[optimizer.name]]
    losses = np.empty(len(rates))
    gate = np.zeros(16, np.int64)
    arguments = (
        gate,
        np.zeros((4, shares)),
        theta,
        slots,
        _rows(shares, theta.size, theta.dtype),
        np.empty_like(theta),
        layout.plan,
        layout.numbers,
        _loss_numbers(model, kernels),
        np.array([objective.l1, objective.l2, optimizer.clip_norm or 0.0], dtype=float),
        kernels.OPTIMIZERS.index(optimizer.name),
        np.array(numbers + [0.0] * (4 - len(numbers))),
        x,
        indptr,
        indices,
        data,
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
        _rows(shares, layout.length, theta.dtype),
        np.empty(layout.masked, theta.dtype),
        np.empty((shares, layout.scratch), _whole(theta)),
        np.empty((shares, room), np.int32),
        np.empty((shares, room), theta.dtype),
        np.empty((shares, layout.rows if room else 0), np.int64),
        losses,
    )

    def run(share: int, rates: Array) -> int:
        finished: int = kernels.run(share, *arguments, rates, *scratch)
        return finished

    _prepare("run", theta, x, lambda: run(0, rates[:0]))
    with _blas_of_one_thread(work):
        if shares == 1:
            with _undisturbed():
                finished = run(0, rates)
        else:
            finished = _together(shares, lambda share: run(share, rates))
    return losses[:finished]


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let Ctrl-C and its like wait: an exception while Numba takes a Generator apart ends the process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[tuple[int, Any]] = []
    found: dict[int, Any] = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    handlers = {number: handler for number, handler in found.items() if callable(handler)}
    try:
        for number in handlers:
            signal.signal(number, lambda *arguments: waiting.append(arguments))
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number, frame in waiting[:1]:
            handlers[number](number, frame)


def _rows(n_rows: int, length: int, dtype: np.dtype[Any]) -> Array:
    """Rows that each start at a cache line, of ``length`` or a little more."""
    return aligned_empty((n_rows, _rounded(length)), dtype)


def _rounded(count: int) -> int:
    """Up to whole cache lines."""
    return math.ceil(count / LINE) * LINE


def predict(model: Model, x: Array | Scaled) -> Array:
    """See :mod:`deltarule.nn.engines.contract`."""
    out = np.empty((len(x), model.layers[-1].dense.n_out), model.parameters.dtype)
    run = _run_lists(model, x, out) if isinstance(x, Scaled) and x.is_sparse else _run_rows(model, x, out)
    work = _work(model, x, len(out))
    shares = _count_shares(len(out), work, WORTH_STARTING)
    with _blas_of_one_thread(work):
        if shares == 1:
            run(0, len(out))
        else:
            _side_by_side(run, [len(out) * share // shares for share in range(shares + 1)])
    return out


def _side_by_side(run: Callable[[int, int], None], ends: list[int]) -> None:
    """The rows between two ends each in a thread of its own, the first of them in this one."""
    with ThreadPoolExecutor(len(ends) - 2) as others:
        parts = [others.submit(run, *rows) for rows in pairwise(ends[1:])]
        run(*ends[:2])
        for part in parts:
            part.result()


def _run_rows(model: Model, x: Array | Scaled, out: Array) -> Callable[[int, int], None]:
    """What puts the outputs for rows ``start`` to ``stop`` into ``out``."""
    X, shift, scale = _plain(x, model.parameters.dtype)
    layout = _layouts_to_predict(model)[len(X) > 1]
    # A row that comes alone goes by its inputs that are not 0, however many: reading W is what takes time.
    sparse = _is_sparse(model, X, shift) if len(X) > 1 else X.shape[1] >= MANY and not shift.size
    theta, room = model.parameters, layout.rows * X.shape[1] if sparse else 0
    flat, kernel = out.reshape(-1), _kernels().predict

    def run(start: int, stop: int) -> None:
        work, bits = np.empty(layout.length, theta.dtype), np.empty(layout.scratch, _whole(theta))
        columns, values = np.empty(room, np.int32), np.empty(room, theta.dtype)
        ends = np.empty(layout.rows if room else 0, np.int64)
        kernel(start, stop, layout.rows, theta, layout.plan, layout.numbers, X, shift, scale,
               layout.places[2], work, bits, columns, values, ends, flat)  # fmt: skip

    _prepare("predict", theta, X, lambda: run(0, 0))
    return run


def _run_lists(model: Model, x: Scaled, out: Array) -> Callable[[int, int], None]:
    """The same for sparse inputs, whose rows are lists already."""
    layout, theta, kernel = _layouts_to_predict(model)[2], model.parameters, _kernels().predict
    X, none = np.empty((0, 0), theta.dtype), np.empty(0, theta.dtype)

    def run(start: int, stop: int) -> None:
        work, bits = np.empty(layout.length, theta.dtype), np.empty(layout.scratch, _whole(theta))
        for first in range(start, max(stop, start + 1), layout.rows):
            last = min(first + layout.rows, stop)
            lists: Any = x[first:last].batch(theta.dtype)
            columns, ends = lists.indices.astype(np.int32), lists.indptr[1:].astype(np.int64)
            flat = out[first:last].reshape(-1)
            kernel(0, last - first, layout.rows, theta, layout.plan, layout.numbers, X, none, none,
                   layout.places[2], work, bits, columns, lists.data, ends, flat)  # fmt: skip

    _prepare("predict", theta, X, lambda: run(0, 0))
    return run


#: Rows to predict at a time …
CHUNK = 256
#: … and where they are lists, which Python cuts: threads wait for each other then.
LISTS = 1024


@_once_for_each_model
def _layouts_to_predict(model: Model) -> tuple[_Layout, _Layout, _Layout]:
    """For one row, for many, and for many that are lists."""
    return (
        _layout(model, 1, 0, False, False),
        _layout(model, CHUNK, 0, False, False),
        _layout(model, LISTS, 0, False, True),
    )


def _whole(theta: Array) -> type[np.signedinteger[Any]]:
    """Whole numbers as wide as the parameters."""
    return np.int64 if theta.itemsize == 8 else np.int32


def _plain(x: Array | Scaled, dtype: np.dtype[Any]) -> tuple[Array, Array, Array]:
    """The inputs in C order, empty where they are sparse; shift and scale, empty where there are none."""
    none = np.empty(0, dtype)
    if not isinstance(x, Scaled):
        return np.ascontiguousarray(x), none, none
    shift, scale = x.shift.astype(dtype) if x.shift.any() else none, x.scale.astype(dtype)
    if isinstance(x.values, Sparse):
        return np.empty((0, 0), x.values.dtype), shift, scale
    return np.ascontiguousarray(x.values), shift, scale


def _lists(x: Array | Scaled, dtype: np.dtype[Any]) -> tuple[Array, Array, Array]:
    """Sparse inputs' ``indptr``, ``indices`` and ``data``, which are empty where the inputs are not sparse.

    What cannot be written to is copied: Numba would compile the kernels once more for it.
    """
    if not (isinstance(x, Scaled) and isinstance(x.values, Sparse)):
        return np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, dtype)
    csr = x.values.csr
    indices = np.require(csr.indices, np.int32, ["C", "W"])
    return csr.indptr.astype(np.int64), indices, np.require(csr.data, requirements=["C", "W"])


def _most(indptr: Array, rows: int) -> int:
    """How many values so many rows may have, at least 1."""
    return max(1, int(np.sort(np.diff(indptr))[-rows:].sum()))


#: Products of a batch that are worth a thread of their own …
WORTH_A_THREAD = 1_000_000
#: … and of all rows to predict, for which the threads have to be started.
WORTH_STARTING = 25_000_000


def _work(model: Model, x: Array | Scaled, size: int) -> float:
    """How many products a batch takes forwards: rows times parameters, without the zeros of sparse inputs."""
    products: float = model.parameters.size
    if isinstance(x, Scaled) and isinstance(x.values, Sparse):
        layer = model.layers[0].dense
        products += (x.values.csr.nnz / len(x) - layer.n_in) * layer.n_out
    return size * products


def _count_shares(size: int, work: float, more: int = 0) -> int:
    """Into how many parts a batch is divided, each for a thread, which costs ``more`` than it should."""
    wanted = min(size, int(work / (WORTH_A_THREAD + more)))
    if wanted < 2:
        return 1
    config = import_module("numba.core.config")
    return 1 if config.DISABLE_JIT else min(wanted, config.NUMBA_NUM_THREADS)


#: Inputs count as sparse where there are so many of them …
MANY = 64
#: … and, in the first rows, a smaller share than this is not 0.
DENSE = 0.3


def _is_sparse(model: Model, x: Array, shift: Array) -> bool:
    """Whether layer 1 goes by the inputs that are not 0."""
    dense, few = model.layers[0].dense, x[:1000]
    possible = dense.n_in >= MANY and not dense.dropout and not shift.size
    return bool(possible and np.count_nonzero(few) < DENSE * few.size)


#: Products of a batch up to which OpenBLAS takes one thread of itself.
LITTLE = 250_000


def _blas_of_one_thread(work: float) -> AbstractContextManager[object]:
    """Each thread calls BLAS for itself, which then takes no threads of its own."""
    return _blas().limit(limits=1) if work > LITTLE else nullcontext()


@cache
def _blas() -> Any:
    """The libraries of matrix products in this process."""
    import_module("scipy.linalg.cython_blas")
    return import_extra("threadpoolctl", "fast").ThreadpoolController().select(user_api="blas")


def _together(shares: int, run: Callable[[int], T]) -> T:
    """Every share in a thread of its own, while this one waits; the result of the first."""
    results: dict[int, T] = {}
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
    except BaseException:  # no more threads, or Ctrl-C: those that wait for the others are let go
        all_here.abort()
        for thread in threads:
            if thread.ident is not None:
                thread.join()
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


@cache
def _kernels() -> Any:
    with _no_collecting():
        import_extra("numba", "fast")
        return import_module("deltarule.nn.engines.kernels")


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Importing and loading make many objects and no garbage: looking for some takes a tenth of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


#: What is compiled and loaded: kernels, for number types of parameters and inputs.
_ready: set[tuple[str, np.dtype[Any], np.dtype[Any]]] = set()


def _prepare(kernel: str, theta: Array, x: Array, call: Callable[[], object]) -> None:
    """Compile a kernel, or load what was compiled before, by a ``call`` with nothing to do."""
    types = (kernel, theta.dtype, x.dtype)
    if types not in _ready:
        with _one_process_at_a_time(), _patience(), _no_collecting():
            call()
        _ready.add(types)


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
        give_up = time.monotonic() + LONGEST_WAIT
        while time.monotonic() < give_up:
            with suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)


#: Seconds after which a process that compiles is taken to hang.
LONGEST_WAIT = 60.0


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


def _layout(model: Model, rows: int, size: int, weighted: bool, listed: bool) -> _Layout:
    """For ``rows`` of a batch of ``size``, or 0 where nothing is dropped; listed rows need no room for x."""
    kernels = _kernels()
    layers = [layer.dense for layer in model.layers]
    scratch = rows * max(layer.n_out for layer in layers)
    length = masked = 0

    def room(count: int) -> int:
        nonlocal length
        length += _rounded(count)
        return length - _rounded(count)

    inputs = room(0 if listed else rows * layers[0].n_in)
    places = [room(rows * layers[-1].n_out), room(rows if weighted else 0), room(scratch)]
    plan: list[tuple[int, ...]] = []
    numbers, start = [], 0
    for layer in layers:
        mask = -1
        if layer.dropout and size:
            mask, inputs = masked, room(0 if listed and not plan else rows * layer.n_in)
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
