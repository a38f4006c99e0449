"""Numba makes machine code of a kernel: once, not of its parts as well, and for Python without a wrapper."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numba import from_dtype, njit, types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.compiler_lock import global_compiler_lock

#: Nothing is reordered; a product and a sum may be rounded once. No kernel allocates anything, so that no
#: references need be counted.
OPTIONS: Any = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"nsz", "contract"},
    "_nrt": False,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}


def compile_kernel(
    kernel: Callable[..., None], records: Sequence[np.dtype[Any]], n_numbers: int
) -> tuple[str, tuple[str, ...], bytes]:
    """Compile a kernel for the types of its records, which are followed by so many whole numbers.

    Returns its name in the object file, the functions of others that it calls, and the object file.
    """
    arguments = (*(from_dtype(record) for record in records), *[types.int64] * n_numbers)
    with global_compiler_lock:
        compiled = njit(pipeline_class=_WholeCompiler, **OPTIONS)(kernel)
        made = compiled.get_compile_result(types.void(*arguments))
        module = made.library._final_module
        code = made.library._codegen._tm.emit_object(module)
    names = [function.name for function in module.functions if function.is_declaration]
    needs = [name for name in names if not name.startswith("llvm.")]
    return made.fndesc.llvm_func_name, tuple(needs), code


class _Whole(JITCodeLibrary):
    """A function with all that it calls as LLVM's code, optimised, and not linked into this process."""

    def _finalize_final_module(self) -> None:
        self._finalized = True

    @property
    def codegen(self) -> Any:
        """What Numba tells where Python's objects of the function are: it has none."""
        return self

    def set_env(self, name: str, environment: Any) -> None:
        pass


class _Part(_Whole):
    """A function as LLVM's code, to be linked into others."""

    def _optimize_final_module(self) -> None:
        pass


class _WholeCompiler(Compiler):
    library: type[_Whole] = _Whole

    def define_pipelines(self) -> Any:
        self.state.library = self.library(self.state.targetctx.codegen(), self.state.func_id.func_qualname)
        return super().define_pipelines()


class PartCompiler(_WholeCompiler):
    """Compiles what only other kernels call: it is optimised, and becomes machine code, as a part of them."""

    library = _Part
