"""Compiling: the kernels are loaded when they are needed, and compiled where nobody did so before."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from deltarule.registry import import_extra, signals_wait

#: Seconds after which a process that compiles is taken to hang.
LONGEST_WAIT = 60.0


@cache
def load_kernels() -> Any:
    """Return the module :mod:`deltarule.nn.engines.kernels`, which needs Numba.

    Raises MissingExtraError if Numba is not installed.
    """
    with _no_collecting(), signals_wait():
        import_extra("numba", "fast")
        return import_module("deltarule.nn.engines.kernels")


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


#: What is compiled and loaded: kernels, for number types of parameters and inputs.
_compiled: set[tuple[str, np.dtype[Any], np.dtype[Any]]] = set()


def compile_once(
    kernel: str, parameters: np.dtype[Any], inputs: np.dtype[Any], call: Callable[[], object]
) -> None:
    """Compile a kernel, or load what was compiled before, by a ``call`` with nothing to do.

    Parameters
    ----------
    kernel : "run" or "predict"
    parameters, inputs : dtype
        The number types that Numba compiles it for.
    call : callable
    """
    types = (kernel, parameters, inputs)
    if types not in _compiled:
        with _one_process_at_a_time(), _notice_after_a_second(), _no_collecting(), signals_wait():
            call()
        _compiled.add(types)


@contextmanager
def _notice_after_a_second() -> Iterator[None]:
    """Print a line on the terminal where compiling takes long."""
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
    """Wait for other processes: Numba's files of compiled functions do not stand two that write at once."""
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
