"""Kernels compiled once, not by themselves and again in their callers; and on disk, in files with checksums.

Numba keeps what it compiles as pickles, and runs what it finds there. A file that is cut off, or of which one
bit is another, would end every later run; here it counts as absent, and is written anew.
"""

from __future__ import annotations

import os
import pickle
import stat
import sys
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from numba.core.caching import FunctionCache, IndexDataCacheFile
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.serialize import dumps

_DIGEST = 32
_SAID: list[str] = []
_packed: Callable[[Any], bytes] = dumps


class KernelCache(FunctionCache):
    """Numba's cache of one function, in checked files; what it is made of lies in two files of source."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        files = self._cache_file
        instructions = os.stat(os.path.join(os.path.dirname(__file__), "instructions.py"))
        stamp = (*files._source_stamp, instructions.st_mtime, instructions.st_size)
        self._cache_file = _CheckedFiles(files._cache_path, self._impl.filename_base, stamp)


class _CheckedFiles(IndexDataCacheFile):
    """The index of a function's compiled versions, and a file for each of them."""

    def _load_index(self) -> dict[Any, str]:
        found = self._read(self._index_path)
        if found is None or found[:2] != (self._version, self._source_stamp):
            return {}
        overloads: dict[Any, str] = found[2]
        return overloads

    def _save_index(self, overloads: dict[Any, str]) -> None:
        with self._open_for_write(self._index_path) as file:
            file.write(self._dump((self._version, self._source_stamp, overloads)))

    def _load_data(self, name: str) -> Any:
        found = self._read(os.path.join(self._cache_path, name))
        if found is None:
            raise OSError(f"{name} is not there")  # which Numba takes for a file that was removed
        return found

    def _dump(self, content: Any) -> bytes:
        packed = _packed(content)
        return sha256(packed).digest() + packed

    def _read(self, path: str) -> Any:
        """Return the content of a file; None where there is none, or none that can be trusted."""
        try:
            with open(path, "rb") as file:
                if not _is_ours(os.fstat(file.fileno())) or not _is_ours(os.stat(self._cache_path)):
                    return None
                data = file.read()
        except OSError:
            return None
        if sha256(data[_DIGEST:]).digest() != data[:_DIGEST]:
            _say(f"{path} is damaged: its kernels are compiled again")
            return None
        try:
            return pickle.loads(data[_DIGEST:])
        except Exception:  # written by another version of Numba
            return None


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


class PartCompiler(Compiler):
    """Compiles what only other kernels call: it is optimised, and becomes machine code, as a part of them."""

    def define_pipelines(self) -> Any:
        self.state.library = _Part(self.state.targetctx.codegen(), self.state.func_id.func_qualname)
        return super().define_pipelines()


class _Part(JITCodeLibrary):
    """A function as LLVM's code, to be linked into others."""

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalized = True

    @property
    def codegen(self) -> Any:
        """What Numba tells where Python's objects of the function are: it has none."""
        return self

    def set_env(self, name: str, environment: Any) -> None:
        pass
