"""Machine code of kernels: kept in files with checksums, and linked into this process, without Numba.

Numba takes a third of a second to load, and is not needed where its work was done before. A file that is cut
off, or of which one bit is another, counts as absent, and so does one that somebody else could have written.
"""

from __future__ import annotations

import ctypes
import json
import os
import stat
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
from typing import Any, NamedTuple

import numpy as np

from deltarule.errors import InputError
from deltarule.files import write_atomically
from deltarule.nn.engines.scipy_blas import load_blas
from deltarule.registry import import_extra

_DIGEST = 32
_SAID: list[str] = []

#: Seconds after which a process that compiles is taken to hang.
LONGEST_WAIT = 60.0
#: What kernels are made of: machine code of other files is not that of these.
_SOURCES = ("jobs.py", "instructions.py", "kernels.py", "kernel_compiler.py")
#: Variables of Numba's that do not change what it makes.
_HARMLESS = ("NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS")


class MachineCode(NamedTuple):
    """One compiled function, as an object file of this machine."""

    name: str
    needs: tuple[str, ...]  # functions of others that it calls
    code: bytes


def find_code(name: str, types: Sequence[np.dtype[Any]], n_numbers: int) -> MachineCode:
    """Return a kernel's machine code: from a file, or compiled, and kept where there is a place for it.

    Parameters
    ----------
    name : str
        A function of the module :mod:`deltarule.nn.engines.kernels`.
    types : sequence of dtype
        Of its records, which are followed by ``n_numbers`` whole numbers.

    Raises
    ------
    MissingExtraError
        If Numba is not installed.
    """
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
        made = MachineCode(*compiler.compile_kernel(kernel, types, n_numbers))
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


# ---------------------------------------------------------------------- files


def read_code(path: Path) -> MachineCode | None:
    """Return what :func:`write_code` wrote there, or None where nothing is that can be trusted."""
    try:
        with open(path, "rb") as file:
            if not _is_ours(os.fstat(file.fileno())) or not _is_ours(path.parent.stat()):
                return None
            data = file.read()
    except OSError:
        return None
    if sha256(data[_DIGEST:]).digest() != data[:_DIGEST]:
        _say(f"{path} is damaged: its kernel is compiled again")
        return None
    head, _, code = data[_DIGEST:].partition(b"\n")
    name, *needs = json.loads(head)
    return MachineCode(name, tuple(needs), code)


def write_code(path: Path, made: MachineCode) -> bool:
    """Write machine code to a file, and return whether there was a place for it."""
    content = json.dumps([made.name, *made.needs]).encode() + b"\n" + made.code
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(path, sha256(content).digest() + content)
    except (OSError, InputError):
        return False
    return True


def _is_ours(status: os.stat_result) -> bool:
    """Whether nobody but this user, or the administrator, can have written there."""
    if not hasattr(os, "getuid"):
        return True
    return status.st_uid in (os.getuid(), 0) and not status.st_mode & stat.S_IWOTH


def _say(text: str) -> None:
    """Print a line on standard error, once."""
    if text not in _SAID and sys.stderr is not None:
        _SAID.append(text)
        print(text, file=sys.stderr)


# ---------------------------------------------------------------------- linking


def link(made: MachineCode, n_records: int, n_numbers: int) -> Callable[..., int]:
    """Return a function of addresses and whole numbers that returns 0; other threads may run meanwhile.

    The first two addresses are those of what it returns and of what it raises, of which there is nothing.

    Raises
    ------
    MissingExtraError
        If SciPy, from which the products come, or llvmlite is not installed.
    """
    llvm = import_extra("llvmlite.binding", "fast")
    engine = _new_engine(llvm)
    for name, address in _products().items():
        llvm.add_symbol(name, address)
    if not all(llvm.address_of_symbol(name) for name in made.needs):
        import_module("numba.core.registry").cpu_target.target_context.init()  # brings what systems lack
    engine.add_object_file(llvm.ObjectFileRef.from_data(made.code))
    engine.finalize_object()
    _ENGINES.append(engine)
    addresses, numbers = [ctypes.c_void_p] * (2 + n_records), [ctypes.c_int64] * n_numbers
    return ctypes.CFUNCTYPE(ctypes.c_int32, *addresses, *numbers)(engine.get_function_address(made.name))


_ENGINES: list[Any] = []  # whose code is there as long as they are


def _new_engine(llvm: Any) -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_triple(llvm.get_process_triple())
    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), target.create_target_machine())


@cache
def _products() -> dict[str, int]:
    """The addresses of SciPy's products of matrices in float32 and float64."""
    name, address = ctypes.pythonapi.PyCapsule_GetName, ctypes.pythonapi.PyCapsule_GetPointer
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    address.restype, address.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    known = load_blas().__pyx_capi__
    return {f"deltarule_{each}": address(known[each], name(known[each])) for each in ("sgemm", "dgemm")}
