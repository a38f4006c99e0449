"""Functions and objects of a learner, written so that a process that starts anew can read them.

``pickle`` writes a function as the place from which it can be imported. What stands in the learner's own
folder, or in a notebook, is written as what it is, with the names that it reads; all else as ``pickle`` does.
"""

from __future__ import annotations

import importlib
import io
import linecache
import marshal
import pickle
import types
from pathlib import Path
from typing import Any

from deltarule.diagnosis.recording.live import OF_EVERY_CLASS, is_in_folder, names_in
from deltarule.diagnosis.recording.program import function_of


def packed(code: Any, settings: dict[str, Any]) -> bytes:
    """Write a function or an object, and with what it is observed.

    Raises
    ------
    Exception
        Of any kind, if something that belongs to it cannot be written, as an open file.
    """
    function = function_of(code)
    pickler = _Pickler(function.__code__.co_filename)
    beside = [one for one in function.__globals__.values() if isinstance(one, types.FunctionType)]
    own = [one for one in beside if pickler.is_own(one)]
    lines = {
        one.__code__.co_filename: linecache.getlines(one.__code__.co_filename) for one in (function, *own)
    }
    pickler.dump((lines, code, settings, own))
    return pickler.written.getvalue()


def unpacked(written: bytes) -> tuple[Any, dict[str, Any]]:
    """Read the function or object, and the settings, that ``packed`` wrote."""
    lines, code, settings, own = pickle.loads(written)
    for path, text in lines.items():  # a cell of a notebook is in no file
        linecache.cache[path] = (sum(map(len, text)), None, text, path)
    for one in own:
        one.__globals__.setdefault(one.__name__, one)
    return code, settings


class _Pickler(pickle.Pickler):
    """Writes functions and classes of the learner's folder by their parts."""

    def __init__(self, file: str) -> None:
        self.written = io.BytesIO()
        super().__init__(self.written, pickle.HIGHEST_PROTOCOL)
        self._folder = str(Path(file).parent)

    def is_own(self, x: Any) -> bool:
        """Whether a function or a class stands in the learner's folder, or in a notebook."""
        if isinstance(x, types.FunctionType):
            return str(Path(x.__code__.co_filename).parent) == self._folder or x.__module__ == "__main__"
        return isinstance(x, type) and is_in_folder(x.__module__, self._folder)

    def reducer_override(self, x: Any) -> Any:
        """How a thing is made, and then filled: what it holds may hold the thing itself."""
        if isinstance(x, types.ModuleType):
            return importlib.import_module, (x.__name__,)
        if isinstance(x, types.MappingProxyType):
            return _view, (dict(x),)
        if isinstance(x, types.CellType):
            return _cell, (), _content_of(x), None, None, _fill_cell
        if isinstance(x, staticmethod | classmethod):
            return type(x), (x.__func__,)
        if isinstance(x, property):
            return property, (x.fget, x.fset, x.fdel)
        if not self.is_own(x):
            return NotImplemented
        return _parts_of_function(x) if isinstance(x, types.FunctionType) else _parts_of_class(x)


def _parts_of_function(x: types.FunctionType) -> Any:
    names = {key: x.__globals__[key] for key in names_in(x.__code__) if key in x.__globals__}
    made = (marshal.dumps(x.__code__), x.__name__, id(x.__globals__), x.__closure__)
    filled = (names, x.__defaults__, x.__kwdefaults__, vars(x))
    return _function, made, filled, None, None, _fill_function


def _parts_of_class(x: Any) -> Any:
    left = (types.MemberDescriptorType, types.GetSetDescriptorType)
    own = {
        key: one for key, one in vars(x).items() if key not in OF_EVERY_CLASS and not isinstance(one, left)
    }
    return _class, (type(x), x.__name__, x.__bases__), own, None, None, _fill_class


#: By the identity of the names of a module, elsewhere, those names here.
_NAMES: dict[int, dict[str, Any]] = {}


def _function(code: bytes, name: str, key: int, closure: tuple[Any, ...] | None) -> Any:
    names = _NAMES.setdefault(key, {"__name__": "__main__", "__builtins__": __builtins__})
    return types.FunctionType(marshal.loads(code), names, name, None, closure)


def _fill_function(x: Any, parts: Any) -> None:
    names, x.__defaults__, x.__kwdefaults__, own = parts
    x.__globals__.update(names)
    x.__dict__.update(own)


def _class(kind: Any, name: str, bases: tuple[Any, ...]) -> Any:
    return kind(name, bases, {"__module__": "__main__"})


def _fill_class(x: Any, parts: dict[str, Any]) -> None:
    for key, one in parts.items():
        setattr(x, key, one)


def _view(x: dict[Any, Any]) -> Any:
    return types.MappingProxyType(x)


def _cell() -> Any:
    return types.CellType()


def _content_of(cell: types.CellType) -> tuple[Any, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:  # it is empty
        return ()


def _fill_cell(cell: types.CellType, content: tuple[Any, ...]) -> None:
    for one in content:
        cell.cell_contents = one
