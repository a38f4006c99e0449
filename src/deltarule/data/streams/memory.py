"""How much memory a stream may take, and how many rows fit into it."""

from __future__ import annotations

import re
from typing import Any

from deltarule.errors import InputError
from deltarule.registry import record

_UNITS = {"": 1, "K": 1000, "M": 1000**2, "G": 1000**3, "T": 1000**4,
          "KI": 1024, "MI": 1024**2, "GI": 1024**3, "TI": 1024**4}  # fmt: skip
#: Bytes that Python, the engine and the readers take without any rows.
OWN = 256_000_000
#: Bytes that a cell takes while a piece of a file becomes numbers.
_CELL = 48
_MOST_ROWS = 65_536  # of a piece
_LEAST_ROWS = 64


def as_bytes(memory: Any) -> int:
    """Read an amount of memory.

    Raises
    ------
    InputError
        If it is none, or less than the program takes without data.

    Examples
    --------
    >>> as_bytes("512MB"), as_bytes("1.5 GiB"), as_bytes(2e9)
    (512000000, 1610612736, 2000000000)
    """
    if isinstance(memory, str):
        found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?I?)B?\s*", memory.upper())
        size = int(float(found[1]) * _UNITS[found[2]]) if found and found[2] in _UNITS else 0
    else:
        size = int(memory) if isinstance(memory, int | float) and not isinstance(memory, bool) else 0
    if size <= 0:
        raise InputError(
            f"memory must be an amount such as '512MB', '2GB' or a number of bytes, got {memory!r}"
        )
    if size < OWN * 5 // 4:
        raise InputError(
            f"memory={memory!r} is too little: the program takes {OWN // 10**6} MB without any data, "
            f"so at least '{OWN * 5 // 4 // 10**6}MB' is needed"
        )
    return size


@record
class Budget:
    """What a stream may take: ``memory`` bytes in all, of which the rows get what the program leaves.

    A sixth of that is for the rows that are being trained on, a sixth for the next ones, a quarter for the
    piece of a file that becomes numbers, and the rest for what is held out, measured, and for the optimizer.
    """

    memory: int

    @property
    def rows_bytes(self) -> int:
        """Bytes for rows."""
        return self.memory - OWN

    def piece_rows(self, n_columns: int) -> int:
        """How many rows of so many columns are read at once."""
        return max(_LEAST_ROWS, min(_MOST_ROWS, self.rows_bytes // 4 // (_CELL * max(n_columns, 1))))

    def window_rows(self, row_bytes: int, batch_size: int) -> int:
        """How many rows of so many bytes are held and mixed: whole batches.

        Raises
        ------
        InputError
            If not even one batch fits: the message says how much would do.
        """
        rows = self.rows_bytes // 6 // row_bytes
        if rows < batch_size:
            least = -(-(OWN + 6 * row_bytes * batch_size) // 10**6) + 1
            raise InputError(
                f"a batch of {batch_size:,} rows takes {row_bytes * batch_size / 1000000.0:,.0f} MB, "
                f"too much for memory={self.memory // 10**6}MB: give at least '{least}MB', or use a "
                "smaller batch_size"
            )
        return rows // batch_size * batch_size

    def fits(self, n_rows: int, n_columns: int) -> bool:
        """Whether so many rows can simply be held, as a table and as numbers."""
        return n_rows * max(n_columns, 1) * _CELL <= self.rows_bytes // 2
