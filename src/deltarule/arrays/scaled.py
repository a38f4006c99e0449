"""Inputs that are scaled batch by batch, and batches of any inputs as a layer multiplies them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from deltarule.arrays.checks import check_finite
from deltarule.arrays.conversion import as_inputs, as_numbers
from deltarule.arrays.sparse import Sparse
from deltarule.arrays.types import Array, Csr
from deltarule.errors import InputError, ShapeError


class Scaled:
    """Inputs ``(values − shift) / scale`` that are computed batch by batch: 60,000 images stay bytes.

    Parameters
    ----------
    values : array-like, (n_samples, n_features)
        SciPy's sparse arrays stay sparse.
    shift, scale : float or array-like, (n_features,)
        Both in the units of the values; ``scale`` must not be 0, and ``shift`` must be 0 for sparse values.

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
        self._is_shifted = bool(self.shift.any())
        self._divisor = self.scale[None] if np.ndim(scale) else self.scale[0, ...]  # one number is quicker
        if not self.scale.all():
            raise InputError(f"scale must not be 0, got 0 in column {int(np.argmin(self.scale != 0))}")
        if self.is_sparse and self._is_shifted:
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
        vars(part).update(vars(self), values=self.values[rows])
        return part

    def batch(self, dtype: npt.DTypeLike) -> Array | Csr:
        """Return the inputs as a layer multiplies them; for sparse values, a ``csr_array``."""
        if not isinstance(self.values, Sparse):
            return self.astype(dtype)
        x = self.values.csr.astype(dtype)
        x.data /= self.scale.astype(dtype)[x.indices]
        return x

    def astype(self, dtype: npt.DTypeLike, copy: bool = True) -> Array:
        """Return the inputs themselves as dense numbers, (n_samples, n_features)."""
        x = self.values.astype(dtype)
        if self._is_shifted:
            x -= self.shift.astype(dtype)
        x /= self._divisor.astype(dtype)
        return x

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        return self.astype(np.float64 if dtype is None else dtype)


def as_batch(x: Array | Scaled, dtype: npt.DTypeLike) -> Array | Csr:
    """Return inputs as a layer multiplies them: a ``csr_array`` where they are sparse."""
    return x.batch(dtype) if isinstance(x, Scaled) else x.astype(dtype, copy=False)


def in_row_order(x: Array | Scaled) -> Array | Scaled:
    """The inputs, copied where the numbers of a row lie apart: fetching such rows is slow, in every epoch."""
    values = x.values if isinstance(x, Scaled) else x
    if not isinstance(values, np.ndarray) or values.flags.c_contiguous:
        return x
    rows = np.ascontiguousarray(values)
    return Scaled(rows, x.shift, x.scale) if isinstance(x, Scaled) else rows


def _for_each_column(values: Any, name: str, n_columns: int) -> Array:
    numbers = as_numbers(values, name).astype(np.float64)
    if numbers.shape not in ((), (n_columns,)):
        raise ShapeError(f"{name} must be a number or have shape ({n_columns},), got shape {numbers.shape}")
    check_finite(numbers, name)
    return np.broadcast_to(numbers, (n_columns,))
