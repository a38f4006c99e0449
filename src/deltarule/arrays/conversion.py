"""From lists, data frames and sparse matrices to arrays of real numbers; from outputs to class numbers."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from deltarule.arrays.checks import cell_place, check_finite
from deltarule.arrays.sparse import Sparse
from deltarule.arrays.types import Array
from deltarule.errors import InputError, ShapeError

Numbers = TypeVar("Numbers", Array, Sparse)


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
        raise InputError(f"{name} is not a valid sparse matrix: {error}") from None
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
    if type(values) is np.ndarray and values.dtype.kind in _REAL:  # no mask, no dates: the usual case
        return values
    if hasattr(values, "toarray"):
        values = values.toarray()
    check_unmasked(values, name)
    try:
        array = np.asarray(values)
    except ValueError:
        raise ShapeError(f"{name} is ragged: its rows have different lengths") from None
    if array.dtype.kind in "OSU":  # [[1, "a"]] has made one type of all: look at the cells as they were
        array = _numbers_of_objects(np.asarray(values, dtype=object), name)
    if array.dtype.kind not in _REAL:
        raise InputError(_NOT_REAL.format(name, array.dtype))
    return array


def check_unmasked(values: Any, name: str) -> None:
    """Refuse what has masked cells, or dates that are missing, which would count as numbers.

    Raises
    ------
    InputError
    """
    rows = values if isinstance(values, list | tuple) else (values,)
    if any(np.ma.isMaskedArray(row) and np.ma.getmaskarray(row).any() for row in rows):
        raise InputError(f"{name} has masked cells: fill them ({name}.filled(0)), or leave their rows out")
    dtypes = np.ravel(getattr(values, "dtypes", ()))  # of a frame
    if isinstance(values, np.ndarray | list | tuple) or any(
        getattr(dtype, "kind", "O") in "mMO" for dtype in dtypes
    ):
        try:
            array = np.asarray(values)
        except ValueError:  # a ragged list, which whoever takes it refuses
            return
        _check_dates(array, name)


def _check_dates(array: Array, name: str) -> None:
    if array.dtype.kind in "mM":
        missing = np.isnat(array)
    elif array.dtype.kind == "O" and any(kind.__name__ in _DATES for kind in set(map(type, array.flat))):
        missing = np.array([type(v).__name__ in _DATES and v != v for v in array.flat]).reshape(array.shape)
    else:
        return
    if missing.any():
        place = cell_place(tuple(int(index[0]) for index in missing.nonzero()))
        raise InputError(f"{name} has a missing date (NaT) at {place}")


#: Types of dates that may be missing: NumPy's two, and pandas' missing one.
_DATES = ("datetime64", "timedelta64", "NaTType")

#: Kinds of number types: booleans, whole numbers of both kinds, floats.
_REAL = "buif"
_NO_NUMBERS = (str, bytes, complex, np.complexfloating, np.datetime64, np.timedelta64)
_NOT_REAL = "{} must hold real numbers, got {}"


def _numbers_of_objects(array: Array, name: str) -> Array:
    """Objects as float64; the first cell that is not a real number is named."""
    numbers = np.empty(array.shape)
    for index, value in np.ndenumerate(array):
        if isinstance(value, _NO_NUMBERS) or value is None:
            raise InputError(f"{name} must hold real numbers, got {value!r} at {cell_place(index)}")
        try:
            numbers[index] = value
        except (TypeError, ValueError, OverflowError):
            kind = type(value).__name__
            raise InputError(f"{name} must hold real numbers, got a {kind} at {cell_place(index)}") from None
    return numbers


def narrowed(values: Numbers, dtype: np.dtype[Any], name: str) -> Numbers:
    """Return an array, or sparse values, in another number type.

    Raises
    ------
    InputError
        If a number is beyond the range of that type.
    """
    if values.dtype == dtype:
        return values
    with np.errstate(over="ignore"):
        converted = values.astype(dtype) if isinstance(values, np.ndarray) else values.narrowed(dtype)
    check_finite(converted, f"{name} as {dtype}")
    return converted


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


def class_codes(outputs: Array) -> Array:
    """Return the class of each row: the greatest of several outputs, or whether the only one is above ½."""
    return outputs.argmax(axis=1) if outputs.shape[1] > 1 else (outputs[:, 0] > 0.5).astype(np.intp)
