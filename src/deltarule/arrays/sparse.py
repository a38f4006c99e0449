"""Values that are mostly 0: rows of what is not 0, of which some at a time can be had as dense numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from deltarule.arrays.types import Array, Csr
from deltarule.errors import InputError

#: Sparse inputs are written out as dense numbers up to this many bytes.
DENSE_BYTES = 2**30


class Sparse:
    """Values that are mostly 0, as SciPy's ``csr_array``; some rows at a time can be had as dense numbers.

    Parameters
    ----------
    csr : csr_array, (n_rows, n_columns)
        In canonical format: every row's indices go up, and none is there twice.
    """

    def __init__(self, csr: Csr) -> None:
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
        """Return these values in another number type."""
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
