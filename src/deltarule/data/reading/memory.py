"""Tables that are in memory already: frames of pandas, polars and Arrow, columns by name, records, arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.data.reading.cells import Cells
from deltarule.data.reading.headers import name_columns
from deltarule.data.reading.other_sources import cells_of_array
from deltarule.data.reading.raw_table import RawTable
from deltarule.errors import InputError

_TAKEN = (
    "a file's path, a bundled set's name, a DataFrame (pandas, polars, Arrow), columns by name"
    ' ({"height": [1.8, 1.6]}), records ([{"height": 1.8}]) or an array of rows'
)


@dataclass(frozen=True, eq=False)
class MemoryTable:
    """Columns that are already in memory, in place of the path of a table file.

    Parameters
    ----------
    label : str
        Its name in messages, instead of a path.
    names : tuple of str
    columns : tuple of ndarray, (n_rows,)
        Numbers, booleans, dates or objects; missing cells are NaN, NaT, None or masked.
    named : bool
        Whether the columns came with names.

    Examples
    --------
    >>> table = MemoryTable.of([{"height": 1.8, "colour": "red"}, {"height": 1.6}])
    >>> table.names, len(table)
    (('height', 'colour'), 2)
    """

    label: str
    names: tuple[str, ...]
    columns: tuple[Array, ...]
    named: bool = True

    @classmethod
    def of(cls, source: Any, names: Sequence[str] = ()) -> MemoryTable:
        """Take what somebody holds as a table; ``names`` are those of an array's columns, x1, x2, … else.

        Raises
        ------
        InputError
            If it is no table, or its columns differ in length.
        """
        kind = type(source).__name__
        if hasattr(source, "_asdict"):  # a named tuple
            source = source._asdict()
        if hasattr(source, "to_frame") and hasattr(source, "index"):  # one row of a frame
            source = source.to_dict()
        if hasattr(source, "fetchnumpy"):  # a relation of DuckDB
            source = source.fetchnumpy()
        if hasattr(source, "columns") and hasattr(source, "iloc"):
            found = [source.iloc[:, place] for place in range(source.shape[1])]
            return cls._checked(kind, list(map(str, source.columns)), found)
        if hasattr(source, "column_names") or (hasattr(source, "columns") and hasattr(source, "schema")):
            listed = [str(name) for name in getattr(source, "column_names", None) or source.columns]
            return cls._checked(kind, listed, [source[name] for name in listed])
        if isinstance(source, Mapping):
            return cls._of_mapping(source)
        if isinstance(source, list | tuple) and source and all(isinstance(row, Mapping) for row in source):
            listed = list(dict.fromkeys(name for row in source for name in row))
            return cls._checked(
                "table", list(map(str, listed)), [[row.get(name) for row in source] for name in listed]
            )
        return cls._of_rows(source, names)

    @classmethod
    def _of_mapping(cls, source: Mapping[Any, Any]) -> MemoryTable:
        """Columns by name; or one row, where all of them are single cells."""
        cells = [isinstance(values, str) or not hasattr(values, "__len__") for values in source.values()]
        if any(cells) and not all(cells):
            name = list(source)[cells.index(True)]
            raise InputError(f"column {name!r} is a single cell, but other columns have several")
        columns = [[values] if all(cells) else values for values in source.values()]
        return cls._checked("table", list(map(str, source)), columns)

    @classmethod
    def _of_rows(cls, source: Any, names: Sequence[str]) -> MemoryTable:
        """An array of rows, or a list of them; a structured array has names."""
        rows = source.toarray() if hasattr(source, "toarray") else source
        some = rows if isinstance(rows, list | tuple) else (rows,)
        make: Any = np.ma.array if any(map(np.ma.isMaskedArray, some)) else np.asarray
        array = make(rows, dtype=_type_of(source))
        if array.dtype.names:
            return cls._checked("array", list(array.dtype.names), [array[n] for n in array.dtype.names])
        if array.ndim == 1 and len(array) and len(array) == len(names):  # one row
            array = array[None, :]
        if array.ndim != 2 or not array.size:
            raise InputError(f"expected rows of a table, got {type(source).__name__}: give {_TAKEN}")
        listed = list(names) if len(names) == array.shape[1] else []
        numbered = [f"x{number}" for number in range(1, array.shape[1] + 1)]
        return cls._checked("array", listed or numbered, list(array.T), named=bool(listed))

    @classmethod
    def _checked(
        cls, label: str, names: list[str], columns: Sequence[Any], *, named: bool = True
    ) -> MemoryTable:
        found = tuple(_as_array(name, values) for name, values in zip(names, columns, strict=True))
        if not found or len({len(column) for column in found}) != 1 or not len(found[0]):
            lengths = ", ".join(f"{name!r}: {len(column)}" for name, column in zip(names, found, strict=True))
            raise InputError(
                f"a table needs columns of equal length, with at least one row, got {lengths or 'none'}"
            )
        return cls(label, tuple(names), found, named)

    def with_column(self, name: str, values: Any) -> MemoryTable:
        """Put a column beside the others, or in the place of the one of that name.

        Raises
        ------
        InputError
            If it has not a cell for each row.
        """
        column = _as_array(name, values)
        if len(column) != len(self):
            raise InputError(f"column {name!r} has {len(column)} cells, but there are {len(self)} rows")
        columns = dict(zip(self.names, self.columns, strict=True)) | {name: column}
        return MemoryTable(self.label, tuple(columns), tuple(columns.values()), self.named)

    def __len__(self) -> int:
        return len(self.columns[0])

    def __fspath__(self) -> str:
        return self.label

    def read(self) -> RawTable:
        """Return it as reading a file returns a table."""
        names, decisions = name_columns(self.names, 1)
        cells: tuple[Cells, ...] = tuple(map(cells_of_array, self.columns))
        return RawTable(names, cells, decisions=tuple(decisions), headed=self.named)


def _type_of(rows: Any) -> Any:
    """Objects for lists, in which numbers and texts may be mixed; None leaves an array as it is."""
    return object if isinstance(rows, list | tuple) else None


def _as_array(name: str, column: Any) -> Array:
    """One column as an array; what is missing stays NaN, NaT, None or pandas' NA."""
    if isinstance(column, list | tuple):
        array = np.array(column, object)
    elif hasattr(column, "isna") and not isinstance(column.dtype, np.dtype):  # a type of pandas' own
        array = column.to_numpy(dtype=object)
    else:
        array = np.asanyarray(column)
        if array.dtype == object and hasattr(
            column, "to_pylist"
        ):  # Arrow's own arrays mistake missing categories
            array = np.array(column.to_pylist(), object)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or array.dtype.kind in "cV":
        shape = f"shape {array.shape}" if array.ndim != 1 else str(array.dtype)
        raise InputError(
            f"column {name!r} must be one-dimensional and hold numbers, texts or dates, got {shape}"
        )
    if array.dtype.kind == "m":
        array = array / np.timedelta64(1, "s")
    return array
