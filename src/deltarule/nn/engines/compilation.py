"""Compiling: a kernel is compiled where nobody did so before, and else loaded from a file."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.nn.engines.machine_code import MachineCode, link, read_code, write_code
from deltarule.nn.engines.records import address_of
from deltarule.registry import import_extra, signals_wait

#: Seconds after which a process that compiles is taken to hang.
LONGEST_WAIT = 60.0
#: How many whole numbers each kernel takes after its records.
KERNELS = {"run": 1, "predict": 2}
#: What kernels are made of: machine code of other files is not that of these.
_SOURCES = ("jobs.py", "instructions.py", "kernels.py", "kernel_compiler.py")
#: Variables of Numba's that do not change what it makes.
_HARMLESS = ("NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS")

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

    Raises
    ------
    MissingExtraError
        If Numba is not installed.
    """
    if is_python():
        function = getattr(import_module("deltarule.nn.engines.kernels"), name)
        return lambda *numbers: function(*(record[0] for record in records), *map(np.int64, numbers))
    types = tuple(record.dtype for record in records)
    function = _loaded.get((name, *types))
    if function is None:
        with _no_collecting(), signals_wait():
            function = link(_machine_code(name, types), len(types), KERNELS[name])
        _loaded[name, *types] = function
    return _bound(function, records)


def require_numba() -> None:
    """Say where Numba is not installed.

    Raises
    ------
    MissingExtraError
    """
    if find_spec("numba") is None:
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
    places = (start, start + ctypes.sizeof(ctypes.c_void_p), *(address_of(record) for record in records))

    def call(*numbers: int, alive: object = (nothing, records)) -> None:
        if function(*places, *numbers):
            raise RuntimeError("a kernel failed")  # none has a line that raises

    return call


def _machine_code(name: str, types: Sequence[np.dtype[Any]]) -> MachineCode:
    """Return a kernel's machine code: from a file, or compiled, and kept where there is a place for it."""
    digest = sha256(repr((_stamp(), types)).encode()).hexdigest()
    paths = [folder / f"{name}-{digest[:16]}.o" for folder in _folders()]
    known = _read_first(paths)
    if known is not None:
        return known
    with _one_process_at_a_time(digest[:16]), _notice_after_a_second():
        known = _read_first(paths)  # another process may have compiled it meanwhile
        if known is not None:
            return known
        import_extra("numba", "fast")
        kernel = getattr(import_module("deltarule.nn.engines.kernels"), name)
        compiler = import_module("deltarule.nn.engines.kernel_compiler")
        made: MachineCode = compiler.compile_kernel(kernel, types, KERNELS[name])
        any(write_code(path, made) for path in paths)
    return made


def _read_first(paths: Iterable[Path]) -> MachineCode | None:
    return next(filter(None, map(read_code, paths)), None)


@cache
def _stamp() -> tuple[str, ...]:
    """What machine code depends on, but for the types: sources, Numba, LLVM, the processor, settings."""
    llvmlite, llvm = import_extra("llvmlite", "fast"), import_extra("llvmlite.binding", "fast")
    here, numba = Path(__file__).parent, find_spec("numba")
    files = [here / name for name in _SOURCES]
    files += [] if numba is None or numba.origin is None else [Path(numba.origin).with_name("_version.py")]
    sources = sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    processor = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
    settings = [f"{key}={value}" for key, value in sorted(os.environ.items()) if key.startswith("NUMBA_")]
    settings = [each for each in settings if not each.startswith(_HARMLESS)]
    return sources, llvmlite.__version__, llvm.get_process_triple(), *processor, *settings


def _folders() -> list[Path]:
    """Where machine code may lie: ``$NUMBA_CACHE_DIR``, else beside the kernels or in the user's cache."""
    named = os.environ.get("NUMBA_CACHE_DIR")
    if named:
        return [Path(named)]
    folders = [Path(__file__).parent / "__pycache__"]
    with suppress(RuntimeError):  # there is no home
        home = {"win32": "AppData/Local", "darwin": "Library/Caches"}.get(sys.platform, ".cache")
        folders.append(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / home) / "deltarule")
    return folders


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
def _one_process_at_a_time(what: str) -> Iterator[None]:
    """Wait for other processes, which may be compiling the same."""
    try:
        import fcntl
        import tempfile

        path = os.path.join(tempfile.gettempdir(), f"deltarule-{os.getuid()}-{what}.lock")
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
