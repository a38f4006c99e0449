"""Kernels as functions of this process: loaded once for the types of their records, or run as Python."""

from __future__ import annotations

import ctypes
import gc
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.registry import import_extra, is_there, signals_wait

#: How many whole numbers each kernel takes after its records.
KERNELS = {"run": 1, "predict": 2}
_LOADING = threading.Lock()
#: What is loaded: for the name of a kernel and the types of its records.
_loaded: dict[tuple[Any, ...], Callable[..., int]] = {}


def load_kernel(name: str, *records: Array) -> Callable[..., None]:
    """Return a kernel, to be called with whole numbers, that computes in what the records say.

    Parameters
    ----------
    name : "run" or "predict"
        A function of the module :mod:`deltarule.nn.engines.kernels`.
    records : ndarray, (1,)
        See :mod:`deltarule.nn.engines.records`.

    Raises MissingExtraError if Numba is not installed.
    """
    if is_python():
        function = getattr(import_module("deltarule.nn.engines.kernels"), name)
        return lambda *numbers: function(*(record[0] for record in records), *map(np.int64, numbers))
    types = tuple(record.dtype for record in records)
    function = _loaded.get((name, *types))
    if function is None:
        with _LOADING, _no_collecting(), signals_wait():
            function = _loaded.get((name, *types))  # another thread may have loaded it meanwhile
            if function is None:
                code = import_module("deltarule.nn.engines.machine_code")
                function = code.link(code.find_code(name, types, KERNELS[name]), len(types), KERNELS[name])
                _loaded[name, *types] = function
    return _bound(function, records)


def require_numba() -> None:
    """Say where Numba is not installed.

    Raises
    ------
    MissingExtraError
    """
    if not is_there("numba"):
        import_extra("numba", "fast")


def is_loaded() -> bool:
    """Return whether any kernel is."""
    return bool(_loaded)


def is_python() -> bool:
    """Return whether Numba is told to compile nothing, so that the kernels run as Python."""
    return os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")


def _bound(function: Callable[..., int], records: Sequence[Array]) -> Callable[..., None]:
    """Return a kernel with its records, which it keeps alive."""
    nothing = (ctypes.c_void_p * 2)()  # where Numba's functions put what they return, and what they raise
    start = ctypes.addressof(nothing)
    places = (start, start + ctypes.sizeof(ctypes.c_void_p), *(record.ctypes.data for record in records))

    def call(*numbers: int, alive: object = (nothing, records)) -> None:
        if function(*places, *numbers):
            raise RuntimeError("a kernel failed")  # none has a line that raises

    return call


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Pause Python's garbage collector: loading makes many objects and no garbage, and takes a tenth less."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
