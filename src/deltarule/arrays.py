"""From what users pass to the arrays we compute with, or one clear word on what is wrong."""

from __future__ import annotations

import math
from functools import cache
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
    "Sparse",
    "aligned_empty",
    "as_batch",
    "as_inputs",
    "as_matrix",
    "as_numbers",
    "as_sample_weight",
    "check_finite",
    "check_number",
    "check_whole",
    "in_row_order",
    "keep_freed_memory",
]

Array: TypeAlias = npt.NDArray[Any]

#: Bytes of a processor's cache line.
LINE = 64

#: The least float above 0: ``check_number(name, value, low=TINY)`` asks for a number > 0.
TINY = 5e-324

#: Sparse inputs are written out as dense numbers up to this many bytes.
DENSE_BYTES = 2**30


def aligned_empty(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """An array in C order, not filled, that starts where a processor's cache line does.

    Vectors of numbers that straddle two lines are read at half the speed.
    """
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    room = np.empty(size + LINE, np.uint8)
    start = -room.ctypes.data % LINE
    return room[start : start + size].view(dtype).reshape(shape)


@cache
def keep_freed_memory() -> None:
    """Let the C library keep the memory of freed arrays, instead of asking for it again at every batch.

    glibc gives more than a little back to the system at once, until a large block was freed: from then on it
    keeps twice as much, of blocks up to 32 MiB. Other C libraries take no notice. Once is enough.
    """
    np.empty((32 << 20) - (8 << 10), np.uint8)  # 32 MiB, less what malloc and NumPy add


class Scaled:
    """Inputs ``(values − shift) / scale`` that are worked out batch by batch: 60,000 images stay bytes.

    Parameters
    ----------
    values : array-like, (n_samples, n_features)
        What SciPy holds sparse stays sparse.
    shift, scale : float or array-like, (n_features,)
        In the units of the values; ``scale`` is not 0, and ``shift`` is 0 where the values are sparse.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    InputError
        If a number is not finite, a scale is 0, or sparse values would be shifted.

    Examples
    --------
    >>> images = Scaled(np.array([[0, 51, 255]], dtype=np.uint8), scale=255)
    >>> images.astype("float64")
    array([[0. , 0.2, 1. ]])
    """

    def __init__(self, values: Any, shift: Any = 0.0, scale: Any = 1.0) -> None:
        self.values = as_inputs(values, "values")
        self.shift = _for_each_column(shift, "shift", self.values.shape[1])
        self.scale = _for_each_column(scale, "scale", self.values.shape[1])
        if not self.scale.all():
            raise InputError(f"scale must not be 0, got 0 in column {int(np.argmin(self.scale != 0))}")
        if self.is_sparse and self.shift.any():
            column = int(np.argmax(self.shift != 0))
            raise InputError(
                f"shift must be 0 for sparse values, whose zeros it would fill, got "
                f"{self.shift[column]:g} in column {column}; scale alone, or pass values.toarray()"
            )

    @property
    def is_sparse(self) -> bool:
        """Whether the values are sparse."""
        return isinstance(self.values, Sparse)

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

    def batch(self, dtype: npt.DTypeLike) -> Array:
        """The inputs as a layer multiplies them: a ``csr_array`` where the values are sparse."""
        if not isinstance(self.values, Sparse):
            return self.astype(dtype)
        x = self.values.csr.astype(dtype)
        x.data /= self.scale.astype(dtype)[x.indices]
        return x

    def astype(self, dtype: npt.DTypeLike, copy: bool = True) -> Array:
        """The inputs themselves as dense numbers, (n_samples, n_features)."""
        x = self.values.astype(dtype)
        if self.shift.any():
            x -= self.shift.astype(dtype)
        x /= self.scale.astype(dtype)
        return x

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        return self.astype(np.float64 if dtype is None else dtype)


def as_batch(x: Array | Scaled, dtype: npt.DTypeLike) -> Array:
    """Inputs as a layer multiplies them; a ``csr_array`` stands for an array where they are sparse."""
    return x.batch(dtype) if isinstance(x, Scaled) else x.astype(dtype, copy=False)


def in_row_order(x: Array | Scaled) -> Array | Scaled:
    """The inputs, copied where the numbers of a row lie apart: fetching such rows is slow, in every epoch."""
    values = x.values if isinstance(x, Scaled) else x
    if not isinstance(values, np.ndarray) or values.flags.c_contiguous:
        return x
    rows = np.ascontiguousarray(values)
    return Scaled(rows, x.shift, x.scale) if isinstance(x, Scaled) else rows


class Sparse:
    """Values that are mostly 0, as SciPy's ``csr_array``; some rows at a time can be had as dense numbers.

    Parameters
    ----------
    csr : csr_array, (n_rows, n_columns)
        In canonical format: every row's indices go up, and none is there twice.
    """

    def __init__(self, csr: Any) -> None:
        self.csr = csr

    @property
    def shape(self) -> tuple[int, ...]:
        """(n_rows, n_columns)."""
        return self.csr.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Number type of the values."""
        return self.csr.dtype

    def __len__(self) -> int:
        return self.csr.shape[0]

    def __getitem__(self, key: Any) -> Sparse:
        """Some of the rows, or of rows and columns."""
        return Sparse(self.csr[key])

    def narrowed(self, dtype: npt.DTypeLike) -> Sparse:
        """The same values in another number type."""
        return Sparse(self.csr.astype(dtype, copy=False))

    def arrays(self) -> tuple[Array, Array, Array]:
        """``indptr``, ``indices`` and ``data`` of CSR, the same for the same values."""
        return self.csr.indptr.astype(np.int64), self.csr.indices.astype(np.int64), self.csr.data

    def astype(self, dtype: npt.DTypeLike) -> Array:
        """The values as dense numbers.

        Raises
        ------
        InputError
            If they would take more than ``DENSE_BYTES``.
        """
        size = math.prod(self.shape) * np.dtype(dtype).itemsize
        if size > DENSE_BYTES:
            raise InputError(
                f"sparse inputs of shape {self.shape} would take {size / 1e9:.1f} GB as dense numbers: "
                f"take fewer rows, for example X[:100]"
            )
        return self.csr.astype(dtype, copy=False).toarray()

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        return self.astype(self.dtype if dtype is None else dtype)

    def min(self, axis: int) -> Array:
        """The least of each column (``axis`` 0) or row, zeros included."""
        return self.csr.min(axis=axis).toarray().ravel()

    def max(self, axis: int) -> Array:
        """The greatest of each column (``axis`` 0) or row, zeros included."""
        return self.csr.max(axis=axis).toarray().ravel()


def _for_each_column(values: Any, name: str, n_columns: int) -> Array:
    numbers = as_numbers(values, name).astype(np.float64)
    if numbers.shape not in ((), (n_columns,)):
        raise ShapeError(f"{name} must be a number or have shape ({n_columns},), got shape {numbers.shape}")
    check_finite(numbers, name)
    return np.broadcast_to(numbers, (n_columns,))


def as_inputs(values: Any, name: str) -> Array | Sparse:
    """``values`` as :func:`as_matrix` takes them, except that what SciPy holds sparse stays sparse."""
    if isinstance(values, np.ndarray) or not hasattr(values, "tocsr"):
        return values if isinstance(values, Sparse) else as_matrix(values, name)
    return _as_sparse(values, name)


def _as_sparse(values: Any, name: str) -> Sparse:
    """``values`` checked, and in canonical format; they themselves are not modified."""
    from scipy.sparse import csr_array

    if len(values.shape) != 2 or 0 in values.shape:
        raise _no_table(values.shape, name)
    if values.dtype.kind not in _REAL:
        raise InputError(_NOT_REAL.format(name, values.dtype))
    try:
        csr = csr_array(values)
        csr.check_format()  # whoever follows the indices must find all of them inside
    except ValueError as error:
        raise InputError(f"{name} is not a sparse matrix in order: {error}") from None
    if not csr.has_canonical_format:
        csr = csr.copy()
        csr.sum_duplicates()
    sparse = Sparse(csr)
    check_finite(sparse, name)
    return sparse


def as_matrix(values: Any, name: str) -> Array:
    """``values`` as a two-dimensional array of finite numbers, never copied without need.

    Lists, arrays of any order and number type, data frames and SciPy sparse matrices (written out) are taken.

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
    if array.ndim != 2 or not array.size:
        raise _no_table(array.shape, name)
    check_finite(array, name)
    return array


def _no_table(shape: tuple[int, ...], name: str) -> ShapeError:
    if len(shape) == 2:
        return ShapeError(f"{name} must have at least one row and one column, got shape {shape}")
    hint = f"; one sample is {name}[None, :], one feature is {name}[:, None]" if len(shape) == 1 else ""
    return ShapeError(f"{name} must have two dimensions, (rows, columns), got shape {shape}{hint}")


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
    if array.dtype.kind not in _REAL:
        raise InputError(_NOT_REAL.format(name, array.dtype))
    return array


#: Kinds of number types: booleans, whole numbers of both kinds, floats.
_REAL = "buif"
_NOT_REAL = "{} must hold real numbers, got {}"


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


def check_finite(array: Array | Sparse, name: str) -> None:
    """Refuse NaN and infinity, naming the first cell that holds one."""
    values = array.csr.data if isinstance(array, Sparse) else array
    if values.dtype.kind != "f" or _sum_is_finite(values) or np.isfinite(values).all():
        return
    index = place = tuple(np.argwhere(~np.isfinite(values))[0])
    if isinstance(array, Sparse):
        row = np.searchsorted(array.csr.indptr, index[0], side="right") - 1
        place = row, array.csr.indices[index]
    raise InputError(f"{name} must hold finite numbers, got {values[index]} at {_place(place)}")


def _sum_is_finite(array: Array) -> bool:
    """Whether Σ x² is finite (or Σ x, where x lies scattered), and so every x: quicker than each by each."""
    if not array.flags.forc:
        with np.errstate(over="ignore", invalid="ignore"):
            return math.isfinite(array.sum())
    flat = array.ravel(order="K")
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
