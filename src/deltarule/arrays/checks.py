"""Checks of what users pass: numbers in their range, whole numbers, arrays without NaN and infinity."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import fields
from numbers import Integral, Real
from typing import Any

import numpy as np

from deltarule.arrays.sparse import Sparse
from deltarule.arrays.types import Array
from deltarule.errors import InputError

#: The least float above 0: ``check_number(name, value, low=TINY)`` asks for a number > 0.
TINY = 5e-324
#: Up to so many numbers, BLAS computes a scalar product in one thread.
FEW_NUMBERS = 8192
#: So many numbers at a time are looked at where there are more.
MANY_NUMBERS = 2**18


def check_finite(array: Array | Sparse, name: str) -> None:
    """Refuse NaN and infinity, naming the first cell that holds one."""
    values = array.csr.data if isinstance(array, Sparse) else array
    if values.dtype.kind != "f" or is_finite(values):
        return
    index = place = tuple(np.argwhere(~np.isfinite(values))[0])
    if isinstance(array, Sparse):
        row = np.searchsorted(array.csr.indptr, index[0], side="right") - 1
        place = row, array.csr.indices[index]
    raise InputError(f"{name} must hold finite numbers, got {values[index]} at {cell_place(place)}")


def is_finite(array: Array) -> bool:
    """Return whether all floats of an array are finite.

    If Σ x² is, every x is: the quickest test of few numbers, for which BLAS takes one thread. Many are looked
    at one by one, some at a time, which takes hardly any memory.
    """
    if array.size <= FEW_NUMBERS:
        return math.isfinite(np.vdot(array, array)) or bool(np.isfinite(array).all())
    parts = np.nditer(array, ["external_loop", "buffered"], buffersize=MANY_NUMBERS)
    return all(np.isfinite(part).all() for part in parts)


def check_number(name: str, value: object, low: float = -math.inf, high: float = math.inf) -> float:
    """Return ``value``, a finite real number from ``low`` to ``high``, or refuse it."""
    if not isinstance(value, Real) or isinstance(value, bool) or not _is_finite(value):
        raise InputError(f"{name} must be a finite number{_limits(low, high)}, got {value!r}")
    if not low <= float(value) <= high:
        raise InputError(f"{name} must be a number{_limits(low, high)}, got {value!r}")
    return float(value)


def check_whole(name: str, value: object, low: int = 1, high: float = math.inf) -> int:
    """Return ``value``, a whole number from ``low`` to ``high``, or refuse it."""
    if not isinstance(value, Integral) or isinstance(value, bool) or not low <= int(value) <= high:
        raise InputError(f"{name} must be a whole number{_limits(low, high)}, got {value!r}")
    return int(value)


def check_limits(owner: str, record: Any) -> None:
    """Refuse a number of a record that is not between the limits which the metadata of its field names."""
    for item in fields(record):
        if "limits" in item.metadata:
            check_number(f"{owner}: {item.name}", getattr(record, item.name), *item.metadata["limits"])


def check_fields(name: str, value: object, names: Iterable[str]) -> dict[str, Any]:
    """Return ``value``, a dictionary with exactly these fields, or refuse it."""
    expected = list(names)
    if not isinstance(value, dict) or set(value) != set(expected):
        got = ", ".join(map(str, value)) if isinstance(value, dict) else f"{value!r:.60}"
        raise InputError(f"{name}: expected the fields {', '.join(expected)}, got {got}")
    return value


def _is_finite(value: Real) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond the greatest float
        return False


def _limits(low: float, high: float) -> str:
    least = " > 0" if low == TINY else f" ≥ {low}" if low > -math.inf else ""
    most = f" ≤ {high}" if high < math.inf else ""
    if high == math.nextafter(1, 0):
        most = " < 1"
    return least + (" and" if least and most else "") + most


def cell_place(index: tuple[int, ...]) -> str:
    """Name a cell as messages do: ``row 3, column 1``."""
    names = ("row", "column")
    if len(index) > len(names):
        return f"index {tuple(int(i) for i in index)}"
    return ", ".join(f"{name} {int(i)}" for name, i in zip(names, index, strict=False))
