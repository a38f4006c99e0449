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
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from hashlib import sha256
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from typing import Any, NamedTuple

from deltarule.errors import InputError
from deltarule.files import write_atomically
from deltarule.registry import import_extra

_DIGEST = 32
_SAID: list[str] = []


class MachineCode(NamedTuple):
    """One compiled function, as an object file of this machine."""

    name: str
    needs: tuple[str, ...]  # functions of others that it calls
    code: bytes


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
    llvm, engine = import_extra("llvmlite.binding", "fast"), _new_engine()
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


def _new_engine() -> Any:
    llvm = import_extra("llvmlite.binding", "fast")
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


@cache
def load_blas() -> Any:
    """Return the module ``scipy.linalg.cython_blas``, without the rest of its package if possible.

    The rest takes a tenth of a second to load.
    """
    full = "scipy.linalg.cython_blas"
    if full not in sys.modules:
        folders = [os.path.join(folder, "linalg") for folder in import_extra("scipy", "fast").__path__]
        with suppress(ImportError):
            found = PathFinder.find_spec(full, folders)
            if found is not None and found.loader is not None:
                module = module_from_spec(found)
                found.loader.exec_module(module)
                return module
    return import_extra(full, "fast")
