"""An argument that asks: what is done with it first tells what it should be."""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any, NoReturn, TypeAlias

import numpy as np

#: Where an argument stands: the function, the parameter, then keys, or "[]" for each element of a list.
Path: TypeAlias = tuple[Any, ...]

_OF_DICTIONARIES = frozenset({"keys", "items", "values", "get", "update", "setdefault"})
_OF_WORDS = frozenset({"lower", "upper", "strip", "title"})
_OF_LISTS = frozenset({"append", "extend", "insert", "pop", "index", "remove", "reverse"})


class Want(BaseException):
    """What is wanted of an argument that asks; no ``except Exception`` of the learner's catches it."""

    def __init__(self, path: Path, kind: str, detail: Any = None) -> None:
        super().__init__(path, kind, detail)
        self.path, self.kind, self.detail = path, kind, detail


class OpenArgument:
    """An argument of which nothing is known: whatever is done with it raises ``Want``."""

    #: What has columns is left alone by traced arrays, so that it is asked itself.
    columns = None
    __array_priority__ = 2e6

    def __init__(self, path: Path) -> None:
        object.__setattr__(self, "_path", path)

    def _want(self, kind: str, detail: Any = None) -> NoReturn:
        raise Want(self._path, kind, detail)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in _OF_DICTIONARIES:
            self._want("keys", ())
        if name in _OF_LISTS:
            self._want("list", 0)
        if name in _OF_WORDS:
            self._want("word")
        self._want("array" if hasattr(np.ndarray, name) else "attribute", name)

    def __setattr__(self, name: str, x: Any) -> None:
        self._want("attribute", name)

    def __call__(self, *args: Any, **options: Any) -> Any:
        self._want("function")

    def __iter__(self) -> Iterator[Any]:
        names = _unpacked(sys._getframe(1))
        self._want("tuple" if names else "list", names or 3)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            self._want("keys", (key,))
        if type(key) is int:
            self._want("list", max(2, key + 1))
        is_list = isinstance(key, slice) or (hasattr(key, "__index__") and not hasattr(key, "shape"))
        self._want("list" if is_list else "array", 3)

    def __setitem__(self, key: Any, x: Any) -> None:
        self._want("keys" if isinstance(key, str) else "array", (key,))

    def __len__(self) -> int:
        self._want("length", 3)

    def __reversed__(self) -> Any:
        self._want("list", 3)

    def __index__(self) -> int:
        self._want("index")

    def __float__(self) -> float:
        self._want("number")

    def __int__(self) -> int:
        self._want("index")

    def __bool__(self) -> bool:
        self._want("flag")

    def __hash__(self) -> int:
        self._want("word")

    def __contains__(self, key: Any) -> bool:
        self._want("keys" if isinstance(key, str) else "list", (key,) if isinstance(key, str) else 3)

    def __eq__(self, other: object) -> bool:
        if other is None:
            return False
        if isinstance(other, str):
            self._want("word", other)
        return bool(self._want("member" if hasattr(type(other), "__members__") else "number", other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __array__(self, *args: Any, **options: Any) -> Any:
        frame: FrameType | None = sys._getframe(1)
        callers: list[str] = []
        while frame is not None and len(callers) < 3:
            callers.append(frame.f_code.co_name)
            frame = frame.f_back
        self._want("index" if {"__getitem__", "__setitem__"} & set(callers) else "array")

    def __array_function__(self, *args: Any) -> Any:
        self._want("array")

    def __array_ufunc__(self, ufunc: Any, method: str, *xs: Any, **options: Any) -> Any:
        self._want(_OPERATIONS.get(ufunc.__name__, "array"))


#: What an operation asks for.
_OPERATIONS = {"multiply": "factor", "divide": "factor", "add": "term", "subtract": "term"}


def _add_operators() -> None:
    def operator(kind: str) -> Any:
        def method(self: OpenArgument, other: Any = None) -> Any:
            self._want("list" if isinstance(other, list) else kind, 2)

        return method

    kinds = {
        "mul": "factor",
        "truediv": "factor",
        "add": "term",
        "sub": "term",
        "matmul": "array",
        "pow": "term",
    }
    for name, kind in kinds.items():
        for prefix in ("", "r", "i"):
            setattr(OpenArgument, f"__{prefix}{name}__", operator(kind))
    for name in ("lt", "le", "gt", "ge", "neg", "abs"):
        setattr(OpenArgument, f"__{name}__", operator("number"))


_add_operators()


def _unpacked(frame: FrameType) -> tuple[str, ...]:
    """The names that an argument is taken apart into by the instruction that has been reached."""
    following = [one for one in dis.get_instructions(frame.f_code) if one.offset >= frame.f_lasti]
    if not following or following[0].opname != "UNPACK_SEQUENCE":
        return ()
    count, names = following[0].arg or 0, list[str]()
    for one in following[1:]:
        if not one.opname.startswith("STORE") or len(names) >= count:
            break
        names += list(one.argval) if isinstance(one.argval, tuple) else [str(one.argval)]
    return tuple(names[:count]) if len(names) >= count else tuple(f"part{k}" for k in range(count))
