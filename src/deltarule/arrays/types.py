"""What arrays are called in signatures: dense ones, and SciPy's sparse rows."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Array", "Csr"]

Array: TypeAlias = npt.NDArray[Any]


class Csr(Protocol):
    """SciPy's ``csr_array``, as far as it is used here; row ``r`` is ``data[indptr[r]:indptr[r + 1]]``."""

    indptr: Array
    indices: Array
    data: Array

    @property
    def shape(self) -> tuple[int, int]:
        """(n_rows, n_columns)."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Number type of the values."""

    @property
    def T(self) -> Csr:
        """The transpose."""

    def __matmul__(self, other: Array) -> Array: ...

    def __abs__(self) -> Csr: ...

    def __getitem__(self, key: Any) -> Csr: ...

    @property
    def nnz(self) -> int:
        """How many values there are."""

    def min(self, axis: int) -> Csr:
        """The least of each column or row, zeros included."""

    def max(self, axis: int) -> Csr:
        """The greatest of each column or row, zeros included."""

    def astype(self, dtype: npt.DTypeLike, copy: bool = True) -> Csr:
        """Return these values in another number type."""

    def toarray(self) -> Array:
        """The values as dense numbers."""
