"""From what users pass to the arrays we compute with, or one clear word on what is wrong."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from deltarule.errors import InputError, ShapeError

__all__ = [
    "LINE",
    "TINY",
    "Array",
    "Scaled",
    "aligned_empty",
    "as_matrix",
    "as_numbers",
    "as_sample_weight",
    "check_finite",
    "check_number",
    "check_whole",
]

Array: TypeAlias = npt.NDArray[Any]

#: Bytes of a processor's cache line.
LINE = 64

#: The least float above 0: ``check_number(name, value, low=TINY)`` asks for a number > 0.
TINY = 5e-324


def aligned_empty(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """An array in C order, not filled, that starts where a processor's cache line does.

    Vectors of numbers that straddle two lines are read at half the speed.
    """
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    room = np.empty(size + LINE, np.uint8)
    start = -room.ctypes.data % LINE
    return room[start : start + size].view(dtype).reshape(shape)


class Scaled:
    """Inputs ``(values − shift) / scale`` that are worked out batch by batch: 60,000 images stay bytes.

    Parameters
    ----------
    values : array-like, (n_samples, n_features)
    shift, scale : float or array-like, (n_features,)
        In the units of the values; ``scale`` is not 0.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    InputError
        If a number is not finite, or a scale is 0.

    Examples
    --------
    >>> images = Scaled(np.array([[0, 51, 255]], dtype=np.uint8), scale=255)
    >>> images.astype("float64")
    array([[0. , 0.2, 1. ]])
    """

    def __init__(self, values: Any, shift: Any = 0.0, scale: Any = 1.0) -> None:
        self.values = as_matrix(values, "values")
        self.shift = _for_each_column(shift, "shift", self.values.shape[1])
        self.scale = _for_each_column(scale, "scale", self.values.shape[1])
        if not self.scale.all():
            raise InputError(f"scale must not be 0, got 0 in column {int(np.argmin(self.scale != 0))}")

    @property
    def shape(self) -> tuple[int, ...]:
        """(n_samples, n_features)."""
        return self.values.shape

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: slice | Array) -> Scaled:
        """Some of the rows."""
        part = object.__new__(Scaled)
        part.values, part.shift, part.scale = self.values[rows], self.shift, self.scale
        return part

    def astype(self, dtype: npt.DTypeLike, copy: bool = True) -> Array:
        """The inputs themselves, (n_samples, n_features)."""
        x = self.values.astype(dtype)
        if self.shift.any():
            x -= self.shift.astype(dtype)
        x /= self.scale.astype(dtype)
        return x

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        return self.astype(np.float64 if dtype is None else dtype)


def _for_each_column(values: Any, name: str, n_columns: int) -> Array:
    numbers = as_numbers(values, name).astype(np.float64)
    if numbers.shape not in ((), (n_columns,)):
        raise ShapeError(f"{name} must be a number or have shape ({n_columns},), got shape {numbers.shape}")
    check_finite(numbers, name)
    return np.broadcast_to(numbers, (n_columns,))


def as_matrix(values: Any, name: str) -> Array:
    """``values`` as a two-dimensional array of finite numbers, never copied without need.

    Lists, arrays of any order and number type, data frames and SciPy sparse matrices are taken.

    Parameters
    ----------
    values : array-like, (n_rows, n_columns)
    name : str
        What messages call it: ``"X"``.

    Returns
    -------
    ndarray, (n_rows, n_columns), of a real number type

    Raises
    ------
    ShapeError
        If it is not a table of rows, or has no rows or no columns.
    InputError
        If a cell is not a number, or not finite (the message names row and column).
    """
    array = as_numbers(values, name)
    if array.ndim != 2:
        hint = f"; one sample is {name}[None, :], one feature is {name}[:, None]" if array.ndim == 1 else ""
        raise ShapeError(f"{name} must have two dimensions, (rows, columns), got shape {array.shape}{hint}")
    if 0 in array.shape:
        raise ShapeError(f"{name} must have at least one row and one column, got shape {array.shape}")
    check_finite(array, name)
    return array


def as_numbers(values: Any, name: str) -> Array:
    """``values`` as an array of a real number type, of any shape."""
    if hasattr(values, "toarray"):
        values = values.toarray()
    try:
        array = np.asarray(values)
    except ValueError:
        raise ShapeError(f"{name} is ragged: its rows have different lengths") from None
    if array.dtype.kind in "OSU":  # [[1, "a"]] has made one type of all: look at the cells as they were
        array = _numbers_of_objects(np.asarray(values, dtype=object), name)
    if array.dtype.kind not in "buif":
        raise InputError(f"{name} must hold real numbers, got {array.dtype}")
    return array


def _numbers_of_objects(array: Array, name: str) -> Array:
    """Objects as float64; the first cell that is not a real number is named."""
    numbers = np.empty(array.shape)
    for index, value in np.ndenumerate(array):
        if isinstance(value, str | bytes | complex | np.complexfloating) or value is None:
            raise InputError(f"{name} must hold real numbers, got {value!r} at {_place(index)}")
        try:
            numbers[index] = value
        except (TypeError, ValueError, OverflowError):
            kind = type(value).__name__
            raise InputError(f"{name} must hold real numbers, got a {kind} at {_place(index)}") from None
    return numbers


def check_finite(array: Array, name: str) -> None:
    """Refuse NaN and infinity, naming the first cell that holds one."""
    if array.dtype.kind != "f" or _sum_is_finite(array) or np.isfinite(array).all():
        return
    index = tuple(np.argwhere(~np.isfinite(array))[0])
    raise InputError(f"{name} must hold finite numbers, got {array[index]} at {_place(index)}")


def _sum_is_finite(array: Array) -> bool:
    """Whether Σ x² is finite, and so is every x: quicker to find than looking at each."""
    flat = array.ravel(order="K") if array.flags.forc else array.ravel()
    return math.isfinite(np.vdot(flat, flat))


def as_sample_weight(values: Any, n_samples: int) -> Array | None:
    """Sample weights as a column (n_samples, 1) of finite numbers ≥ 0 that are not all zero."""
    if values is None:
        return None
    weight = as_numbers(values, "sample_weight").astype(float)
    if weight.shape != (n_samples,):
        raise ShapeError(f"sample_weight must have shape ({n_samples},), got {weight.shape}")
    check_finite(weight, "sample_weight")
    if (weight < 0).any() or not weight.any():
        raise InputError("sample_weight must be zero or more, and not zero everywhere")
    return weight[:, None]


def check_number(name: str, value: object, low: float = -math.inf, high: float = math.inf) -> None:
    """Refuse what is not a finite real number from ``low`` to ``high``."""
    if not isinstance(value, Real) or isinstance(value, bool) or not _is_finite(value):
        raise InputError(f"{name} must be a finite number{_limits(low, high)}, got {value!r}")
    if not low <= float(value) <= high:
        raise InputError(f"{name} must be a number{_limits(low, high)}, got {value!r}")


def check_whole(name: str, value: object, low: int = 1, high: float = math.inf) -> None:
    """Refuse what is not a whole number from ``low`` to ``high``."""
    if not isinstance(value, Integral) or isinstance(value, bool) or not low <= int(value) <= high:
        raise InputError(f"{name} must be a whole number{_limits(low, high)}, got {value!r}")


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


def _place(index: tuple[int, ...]) -> str:
    names = ("row", "column")
    if len(index) > len(names):
        return f"index {tuple(int(i) for i in index)}"
    return ", ".join(f"{name} {int(i)}" for name, i in zip(names, index, strict=False))
