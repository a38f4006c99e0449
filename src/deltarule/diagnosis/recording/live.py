"""Functions, classes and objects that are there already, made anew so that what they compute is recorded."""

from __future__ import annotations

import abc
import contextlib
import copy
import functools
import random
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.diagnosis.recording.source import is_parameter, recordable_code
from deltarule.diagnosis.recording.substitutes import RandomNumbers
from deltarule.diagnosis.recording.tape import Tape, current_tape
from deltarule.diagnosis.recording.traced import Traced, given, leaf, plain

_LARGEST_BASE = 1_000_000
#: From how many numbers on what a program computed is only made anew where it is asked for.
_LARGE = 1000
_RANDOM = (np.random.Generator, np.random.RandomState, random.Random)


class Names(dict[str, Any]):
    """The names of a program, with what stands for them; large data are made anew when they are asked for."""

    def __init__(self, rebuilding: Rebuilding, names: dict[str, Any]) -> None:
        self._rebuilding = rebuilding
        self._large = {name: one for name, one in names.items() if _is_large(one)}
        super().__init__(
            {name: rebuilding.value(one, name) for name, one in names.items() if name not in self._large}
        )

    def __missing__(self, name: str) -> Any:
        self[name] = self._rebuilding.value(self._large[name], name)
        return self[name]

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name in self._large

    def get(self, name: str, default: Any = None) -> Any:
        """What a name stands for, or something else where there is none."""
        return self[name] if name in self else default  # noqa: SIM401 dict.get does not look for large ones


class Rebuilding:
    """Copies of live things: code is recordable, modules are substituted, arrays are start values.

    What is the learner's is made anew, once for each; functions of libraries stay as they are.

    Parameters
    ----------
    path : str
        The learner's file; those beside it are the learner's, too.
    names : dict
        Names that recordable code needs: its builtins, and what was put in the place of literals.
    is_given : callable
        Of a name: whether it is data, that is not to be learned.
    before : Tape or None
        Where the numbers were recorded before.
    """

    def __init__(
        self,
        path: str,
        names: dict[str, Any],
        is_given: Callable[[str], bool] = lambda name: False,
        before: Tape | None = None,
    ) -> None:
        self.folder, self.path, self.names = str(Path(path).parent), path, names
        self.is_given, self.before = is_given, before
        importing = names["__builtins__"]["__import__"]
        self._replaced: dict[str, Any] = importing.replaced
        self._functions: dict[int, Any] = importing.functions
        self._made: dict[int, Any] = {}
        self._kept: list[Any] = []  # so that no id is used twice

    def value(self, x: Any, name: str = "") -> Any:
        """Return what stands for x in recorded code; ``name`` is what it is called."""
        if id(x) in self._made:
            return self._made[id(x)]
        if isinstance(x, types.ModuleType):
            return self._replaced.get(x.__name__, x)
        if type(x) is Traced or (self.before is None and _is_number(x, name)):
            return self._keep(x, self._array(x, name))
        if id(x) in self._functions:
            return self._functions[id(x)]
        if type(x) in _MAKERS:
            return _MAKERS[type(x)](self, x, name)
        if isinstance(x, (*_RANDOM, RandomNumbers)):
            made = copy.deepcopy(x)
            return self._keep(x, made if type(x) is RandomNumbers else RandomNumbers(made))
        if isinstance(x, type):
            return self._class(x) if self._is_own(x) else x
        return self._instance(x, name) if self._is_own(type(x)) else x

    def _keep(self, x: Any, made: Any) -> Any:
        self._made[id(x)] = made
        self._kept.append(x)
        return made

    # Numbers
    def _array(self, x: Any, name: str) -> Any:
        """A start value; views of one array stay views of one array."""
        numbers = base = x.value if type(x) is Traced else np.asarray(x)
        while isinstance(base.base, np.ndarray):
            base = base.base
        is_plain = base.dtype == numbers.dtype == np.float64 and base.flags.c_contiguous
        if not is_plain or (base is not numbers and base.size > _LARGEST_BASE):
            return self._start_value(x, numbers, name)
        whole = self._made.get(id(base))
        if type(whole) is not Traced:
            whole = self._keep(base, self._start_value(x if numbers.size == base.size else base, base, name))
        if base is numbers or type(whole) is not Traced:
            return whole
        offset = numbers.ctypes.data - base.ctypes.data
        both = (whole.value, whole.ids)
        value, ids = (np.ndarray(numbers.shape, one.dtype, one, offset, numbers.strides) for one in both)
        return Traced(value, ids, type(x) is Traced and x.is_scalar)

    def _start_value(self, x: Any, numbers: Any, name: str) -> Any:
        is_scalar = x.is_scalar if type(x) is Traced else not isinstance(x, np.ndarray)
        made = (given if self.is_given(name) else leaf)(numbers, is_scalar=is_scalar)
        tape = current_tape()
        if type(made) is Traced and tape is not None:
            if type(x) is not Traced:
                tape.operations[-1].label = name
            elif self.before is not None and x.size and self.before.size > int(x.ids.flat[0]):
                first = self.before.operation_of(x.ids.flat[0])
                tape.operations[-1].place, tape.operations[-1].label = first.place, first.label
        return made

    # Containers
    def _list(self, x: list[Any], name: str) -> Any:
        numbers = _numbers_of(x, self.before is None)
        if numbers is not None:
            return self._keep(x, self._start_value(x, numbers, name).tolist())
        made = self._keep(x, [])
        made.extend(self.value(one, f"{name}[{k}]") for k, one in enumerate(x))
        return made

    def _tuple(self, x: tuple[Any, ...], name: str) -> Any:
        return self._keep(x, tuple(self.value(one, f"{name}[{k}]") for k, one in enumerate(x)))

    def _dictionary(self, x: dict[Any, Any], name: str) -> Any:
        made = self._keep(x, {})
        for key, one in x.items():
            made[key] = self.value(one, f"{name}[{key!r}]" if name else str(key))
        return made

    # Code
    def _is_own(self, x: type) -> bool:
        """Whether a class is the learner's, and plain enough to be made anew."""
        bases = [one for one in x.__mro__ if one not in (object, abc.ABC)]
        plain = type(x) in (type, abc.ABCMeta) and bool(bases)
        return plain and all(is_in_folder(one.__module__, self.folder) for one in bases)

    def _function(self, x: types.FunctionType, name: str) -> Any:
        file = x.__code__.co_filename
        if file != self.path and str(Path(file).parent) != self.folder:
            return x
        code = x.__code__ if "__leaf__" in x.__globals__ else recordable_code(x.__code__)
        names = self.globals_of(x.__globals__)
        cells = tuple(types.CellType() for _ in x.__closure__ or ())
        made = self._keep(x, types.FunctionType(code, names, x.__name__, None, cells or None))
        made.__defaults__ = self.value(x.__defaults__)
        made.__kwdefaults__ = self.value(x.__kwdefaults__)
        made.__dict__.update((key, self.value(one)) for key, one in vars(x).items())
        read = names_in(x.__code__)
        for key in (*x.__globals__,) if "globals" in read else read:  # all, where it looks names up
            if key in x.__globals__ and key not in names:
                names[key] = None  # it is on its way
                names[key] = self.value(x.__globals__[key], key)
        for cell, one, free in zip(cells, x.__closure__ or (), x.__code__.co_freevars, strict=True):
            with contextlib.suppress(ValueError):  # an empty cell
                cell.cell_contents = self.value(one.cell_contents, free)
        return made

    def globals_of(self, x: dict[str, Any]) -> dict[str, Any]:
        """The names that functions read that were made anew, by those that they read before."""
        if id(x) not in self._made:
            self._keep(x, {**self.names, "__name__": "__main__"})
        found: dict[str, Any] = self._made[id(x)]
        return found

    def _method(self, x: types.MethodType, name: str) -> Any:
        return types.MethodType(self.value(x.__func__), self.value(x.__self__, name))

    def _partial(self, x: functools.partial[Any], name: str) -> Any:
        named = {key: self.value(one, key) for key, one in x.keywords.items()}
        return functools.partial(self.value(x.func), *(self.value(one) for one in x.args), **named)

    def _class(self, x: type) -> Any:
        bases = tuple(self.value(one) for one in x.__bases__)
        made = self._keep(x, type(x)(x.__name__, bases, {"__module__": "__main__", "__doc__": x.__doc__}))
        for key, one in vars(x).items():
            if key in OF_EVERY_CLASS or isinstance(one, types.MemberDescriptorType):
                continue
            if isinstance(one, staticmethod | classmethod):
                one = type(one)(self.value(one.__func__))
            elif isinstance(one, property):
                one = property(self.value(one.fget), self.value(one.fset), self.value(one.fdel))
            else:
                one = self.value(one, key)
            setattr(made, key, one)
        return made

    def _instance(self, x: Any, name: str) -> Any:
        made = self._keep(x, object.__new__(self.value(type(x))))
        slots = [key for one in type(x).__mro__ for key in vars(one).get("__slots__", ())]
        state = {**getattr(x, "__dict__", {}), **{key: getattr(x, key) for key in slots if hasattr(x, key)}}
        for key, one in state.items():
            made.__dict__[key] = self.value(one, f"{name}.{key}" if name else key)
        return made


_MAKERS: dict[type, Callable[[Rebuilding, Any, str], Any]] = {
    list: Rebuilding._list,
    tuple: Rebuilding._tuple,
    dict: Rebuilding._dictionary,
    types.FunctionType: Rebuilding._function,
    types.MethodType: Rebuilding._method,
    functools.partial: Rebuilding._partial,
}
#: What every class has of its own, which is not passed on.
OF_EVERY_CLASS = frozenset(["__dict__", "__weakref__", "__module__", "__doc__", "__slots__", "_abc_impl"])


def is_in_folder(module: str, folder: str) -> bool:
    """Whether a module is the program, or a file in its folder."""
    path = getattr(sys.modules.get(module), "__file__", None)
    return module == "__main__" or (path is not None and str(Path(path).parent) == folder)


def _is_large(x: Any) -> bool:
    """Whether x holds more numbers than parameters of a learner's network usually do."""
    return x.size > _LARGE if type(x) is Traced else type(x) is list and len(x) > _LARGE


def _is_number(x: Any, name: str) -> bool:
    """Whether x holds numbers that may be start values; a whole number only where its name says so."""
    if type(x) is np.ndarray:
        return bool(x.dtype.kind in "fiu")
    return isinstance(x, float) or (type(x) is int and is_parameter(name))


def _numbers_of(x: list[Any], plain_too: bool) -> Any:
    """The array that a list of single numbers is (or a list of such lists); None where it is none."""
    first: Any = x
    while isinstance(first, list) and first:
        first = first[0]
    if not (type(first) is Traced and first.is_scalar) and not (plain_too and isinstance(first, int | float)):
        return None
    try:
        array = np.array(plain(x))
    except ValueError:  # of different lengths
        return None
    return array if array.dtype.kind == "f" else None


def names_in(code: types.CodeType) -> set[str]:
    """Every global name that a function, or one in it, may read."""
    inner = [names_in(one) for one in code.co_consts if isinstance(one, types.CodeType)]
    return set(code.co_names).union(*inner)
