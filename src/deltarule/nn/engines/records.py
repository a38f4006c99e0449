"""How named tuples come to the kernels: as a record of numbers, and of the places where arrays lie."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from deltarule.arrays import Array

#: What a record has in the place of an array with so many axes; the last field has the array's type.
_PLACES = {1: ("at", "rows"), 2: ("at", "rows", "columns")}


def record_of(fields: Any) -> Any:
    """Return a named tuple as a record: numbers, places of arrays in C order, records of named tuples.

    It is the one element of an array (1,), whose type Numba knows at once; the array keeps the fields alive.
    """
    value, kind = _value_and_kind(fields)
    dtype = _dtype(kind)
    buffer: Any = (ctypes.c_byte * dtype.itemsize)()
    buffer.fields = fields
    record = np.frombuffer(buffer, dtype)
    record[0] = value
    return record


def address_of(array: Array) -> int:
    """Return where an array of numbers lies. (Of records NumPy swallows Ctrl-C here.)"""
    address: int = array.__array_interface__["data"][0]
    return address


def setter_of(record: Any, name: str) -> Callable[[Array], None]:
    """Return what puts another array, with as many columns, in the place of one of a record's.

    Whoever calls it keeps the array alive.
    """
    place, start, *_ = record.dtype.fields[name]
    at, rows = (
        ctypes.c_int64.from_buffer(record.base, start + place.fields[each][1]) for each in ("at", "rows")
    )

    def put(array: Array) -> None:
        at.value, rows.value = address_of(array), len(array)

    return put


def _value_and_kind(field: Any) -> tuple[Any, Any]:
    """Return what stands in a record for a field, and what its type follows from."""
    if isinstance(field, np.ndarray):
        assert field.flags.c_contiguous
        return (address_of(field), *field.shape, 0), (field.ndim, field.dtype)
    if hasattr(field, "_fields"):
        parts = [_value_and_kind(part) for part in field]
        kinds = zip(field._fields, (kind for _, kind in parts), strict=True)
        return tuple(value for value, _ in parts), tuple(kinds)
    return field, np.result_type(type(field)).str


@cache
def _dtype(kind: Any) -> np.dtype[Any]:
    if isinstance(kind, str):
        return np.dtype(kind)
    if isinstance(kind[0], int):
        fields: list[Any] = [(name, np.int64) for name in _PLACES[kind[0]]] + [("of", kind[1])]
    else:
        fields = [(name, _dtype(part)) for name, part in kind]
    return np.dtype((np.record, np.dtype(fields, align=True)))


def array_at(place: Any) -> Array:
    """Return the array that lies at a place of a record."""
    address, *shape, _ = place.tolist()
    dtype = place.dtype["of"]
    size = math.prod(shape)
    numbers = (ctypes.c_byte * (size * dtype.itemsize)).from_address(address) if size else b""
    return np.frombuffer(numbers, dtype, size).reshape(shape)
