"""What a call computes: each array that its variables ever hold, with its name and line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from deltarule.arrays import Array

_MOST_NUMBERS = 10_000_000


class WatchedArray(NamedTuple):
    """A value that a variable had: ``delta1`` from line 7 on."""

    name: str
    line: int
    value: Array


def watch(call: Callable[[], Any], path: str) -> tuple[Any, list[WatchedArray]]:
    """Return what ``call`` returns, and all values that variables of the code in a file had on the way."""
    seen: list[WatchedArray] = []
    last: dict[tuple[int, str], Array] = {}
    lines: dict[int, int] = {}
    left = _MOST_NUMBERS

    def look(frame: FrameType) -> None:
        nonlocal left
        for name, value in frame.f_locals.items():
            for inner, array in arrays_of(value, name):
                before = last.get((id(frame), inner))
                if left > 0 and (before is None or not np.array_equal(before, array)):
                    left -= array.size
                    last[id(frame), inner] = array.copy()
                    seen.append(WatchedArray(inner, lines.get(id(frame), frame.f_lineno), array.copy()))

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename != path:
            return None
        if event != "call":
            look(frame)
        lines[id(frame)] = frame.f_lineno
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        return call(), seen
    finally:
        sys.settrace(before)


def arrays_of(value: Any, name: str = "", depth: int = 2) -> Iterator[tuple[str, Array]]:
    """The arrays of numbers in a value: itself, in lists, dictionaries and objects; lists of numbers, too."""
    if isinstance(value, np.ndarray | np.number | float):
        array = np.asarray(value)
        if array.dtype.kind == "f":
            yield name, array
        return
    if isinstance(value, list | tuple) and value:
        numbers = _as_array(value)
        if numbers is not None:
            yield name, numbers
            return
    if depth == 0:
        return
    parts: Any = ()
    if isinstance(value, list | tuple):
        parts = ((f"{name}[{key}]", one) for key, one in enumerate(value))
    elif isinstance(value, dict):
        parts = ((f"{name}[{key!r}]", one) for key, one in value.items())
    elif type(value).__module__ not in ("builtins", "numpy") and hasattr(value, "__dict__"):
        parts = ((f"{name}.{key}", one) for key, one in vars(value).items())
    for inner, one in list(parts):
        yield from arrays_of(one, inner, depth - 1)


def _as_array(numbers: Any) -> Array | None:
    """A list of floats, or of lists of them, as an array; None for any other."""
    first = numbers
    while isinstance(first, list | tuple) and first:
        first = first[0]
    if not isinstance(first, float):
        return None
    try:
        return np.array(numbers, float)
    except ValueError:
        return None
