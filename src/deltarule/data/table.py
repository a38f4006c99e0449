"""Named columns of numbers or text, which remember where in a file they came from."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.data.decisions import Decision
from deltarule.errors import DataFileError, InputError, ShapeError
from deltarule.registry import did_you_mean


@dataclass(frozen=True, eq=False)
class Origin:
    """The file a table was read from.

    Parameters
    ----------
    path : str
    lines : ndarray of int, (n_rows,), or None
        The line on which each row begins, from 1; None where the file has no lines (Parquet).
    fields : mapping of column name to the number of its field, from 1
    """

    path: str
    lines: Array | None
    fields: Mapping[str, int]


@dataclass(frozen=True, eq=False)
class Coded:
    """A column of few different values: these, and which one each cell is.

    Parameters
    ----------
    values : ndarray, (n_different,)
        Numbers (NaN where missing), booleans, or texts (None where missing).
    codes : ndarray of int, (n_rows,)
        For each cell the place of its value.

    Examples
    --------
    >>> Coded.of(np.array(["b", "a", "b"], object)).codes
    array([0, 1, 0])
    """

    values: Array
    codes: Array

    @classmethod
    def of(cls, cells: Array) -> Coded:
        """Find the different values among cells (n_rows,), in the order in which they are met."""
        places: dict[object, int] = {}
        codes = [places.setdefault(cell, len(places)) for cell in cells.tolist()]
        return cls(np.array([*places, None], object)[:-1], np.array(codes, np.intp))

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: Array) -> Coded:
        """Return some of the rows."""
        return Coded(self.values, self.codes[rows])

    def cells(self) -> Array:
        """Return each cell's value, (n_rows,)."""
        cells: Array = self.values[self.codes]
        return cells


class _Columns(Mapping[str, Array]):
    """Columns whose cells are worked out when they are asked for: parts of a table share what it holds."""

    def __init__(self, held: Mapping[str, Array | Coded], rows: Array | None = None) -> None:
        self.held, self.rows = held, rows

    def part(self, name: str) -> Array | Coded:
        """The rows of one column, as it is held."""
        held = self.held[name]
        if self.rows is None:
            return held
        return held.take(self.rows) if isinstance(held, Coded) else held[self.rows]

    def __getitem__(self, name: str) -> Array:
        part = self.part(name)
        return part.cells() if isinstance(part, Coded) else part

    def __iter__(self) -> Iterator[str]:
        return iter(self.held)

    def __len__(self) -> int:
        return len(self.held)

    def __repr__(self) -> str:
        return repr(dict(self))


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of equal length by name: numbers (NaN where missing), booleans, or text (None where missing).

    Parameters
    ----------
    columns : mapping of str to array-like or Coded, (n_rows,)
        Numbers become float64, text becomes an array of ``str`` objects.
    origin : Origin, optional
        The file from which the rows come; errors then name its lines.
    forms : mapping of column name to str
        How columns of numbers were written, if not as plain numbers: "comma", "yes-no", "dmy", ….
    decisions : tuple of Decision
        What was decided when it was read.

    Raises
    ------
    InputError
        If a column is of none of the three kinds.
    ShapeError
        If a column is not one-dimensional, or columns differ in length.

    Examples
    --------
    >>> table = Table({"height": [1.8, 1.6], "colour": ["red", None]})
    >>> len(table), table.names
    (2, ('height', 'colour'))
    """

    columns: Mapping[str, Any]
    origin: Origin | None = None
    forms: Mapping[str, str] = field(default_factory=dict)
    decisions: tuple[Decision, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.columns, _Columns):
            return
        columns = {name: _as_column(name, values) for name, values in self.columns.items()}
        if len({len(column) for column in columns.values()}) != 1:
            lengths = ", ".join(f"{name!r}: {len(column)}" for name, column in columns.items())
            raise ShapeError(f"a table needs columns of one length, got {lengths or 'no columns'}")
        object.__setattr__(self, "columns", _Columns(columns))

    @classmethod
    def of_matrix(cls, matrix: Array, names: Sequence[str] | None = None) -> Table:
        """Make a table of a matrix (n_rows, n_columns); its columns are x1, x2, … unless names are given."""
        if names is None:
            names = [f"x{number}" for number in range(1, matrix.shape[1] + 1)]
        return cls(dict(zip(names, matrix.T, strict=True)))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(self.columns)

    def __len__(self) -> int:
        rows = self._columns.rows
        return len(next(iter(self._columns.held.values())) if rows is None else rows)

    @property
    def _columns(self) -> _Columns:
        assert isinstance(self.columns, _Columns)
        return self.columns

    def take(self, rows: Array) -> Table:
        """Return the rows of the given numbers (or where a mask is true); the table shares the cells."""
        rows = np.asarray(rows)
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.intp, copy=False)
        origin, before = self.origin, self._columns.rows
        if origin is not None and origin.lines is not None:
            origin = replace(origin, lines=origin.lines[rows])
        columns = _Columns(self._columns.held, rows if before is None else before[rows])
        return replace(self, columns=columns, origin=origin)

    def place_of(self, row: int | None) -> tuple[int, int]:
        """Return a row of what was read, counted from 1, and where it stands among those that are left.

        Without a row it is the first that is left.

        Raises
        ------
        InputError
            If there is no such row, or it was left out.
        """
        rows, n_rows = self._columns.rows, len(next(iter(self._columns.held.values())))
        rows = np.arange(n_rows) if rows is None else rows
        row = int(rows[0]) + 1 if row is None else row
        if not 1 <= row <= n_rows:
            raise InputError(f"there is no row {row}: the table has {n_rows} rows")
        if row - 1 not in rows:
            raise InputError(
                f"row {row} is not among the {len(rows)} rows that are used, of {n_rows}: choose another"
            )
        return row, int((rows == row - 1).argmax())

    def without(self, names: Collection[str]) -> Table:
        """Return the table without the columns named."""
        kept = {name: held for name, held in self._columns.held.items() if name not in names}
        columns: Mapping[str, Any] = _Columns(kept, self._columns.rows) if kept else kept
        return replace(self, columns=columns)

    def matrix(self) -> Array:
        """Return the numbers of an all-number table, (n_rows, n_columns) float64.

        Raises
        ------
        InputError
            If a column holds text (the message names it).
        """
        matrix = np.empty((len(self), len(self.columns)))
        for place, (name, values) in enumerate(self.columns.items()):
            if values.dtype == object:
                raise InputError(f"column {name!r} holds text; fit_encoding turns it into numbers")
            matrix[:, place] = values
        return matrix

    def column(self, name: str) -> Array:
        """Return the values of one column, (n_rows,); an error about an unknown name says the nearest one."""
        self._check_known(name)
        return self.columns[name]

    def is_text(self, name: str) -> bool:
        """Return whether a column is of text; no cell is worked out for it."""
        self._check_known(name)
        held = self._columns.held[name]
        values = held.values if isinstance(held, Coded) else held
        return bool(values.dtype == object)

    def coded(self, name: str) -> Coded:
        """Return one column as its different values (some maybe in no row) and which one each cell is."""
        self._check_known(name)
        part = self._columns.part(name)
        return part if isinstance(part, Coded) else Coded.of(part)

    def missing(self, name: str) -> Array:
        """Return where the cells of one column are missing, (n_rows,) bool."""
        self._check_known(name)
        part = self._columns.part(name)
        return is_gone(part.values)[part.codes] if isinstance(part, Coded) else is_gone(part)

    def _check_known(self, name: str) -> None:
        if name not in self.columns:
            reason = f"there is no column {name!r}{did_you_mean(name, self.columns)}"
            if self.origin is None:
                raise InputError(reason)
            raise DataFileError(self.origin.path, reason, None if self.origin.lines is None else 1)

    def finite(self, name: str) -> Array:
        """Return the numbers of a column that are not missing; infinity is refused, with its cell."""
        values = np.asarray(self.column(name), float)
        if np.isfinite(values).all():
            return values
        if np.isinf(values).any():
            row = int(np.isinf(values).argmax())
            raise self.fault(row, name, f"expected a finite number, got {values[row]}")
        return values[~np.isnan(values)]

    def place(self, cells: Array, name: str) -> tuple[int | None, int | None]:
        """Return line and field of the first cell where a mask (n_rows,) is true, if the file has such."""
        if self.origin is None or self.origin.lines is None:
            return None, None
        return int(self.origin.lines[int(cells.argmax())]), self.origin.fields[name]

    def fault(self, row: int, name: str, reason: str) -> InputError:
        """Make the error about one cell, which names its place in the file, or its column and row."""
        line, field = self.place(np.arange(len(self)) == row, name)
        reason = f"column {name!r}: {reason}" if line else f"column {name!r}, row {row}: {reason}"
        return (
            InputError(reason)
            if self.origin is None
            else DataFileError(self.origin.path, reason, line, field)
        )


def is_gone(values: Array) -> Array:
    """Return where values are missing: NaN among numbers, None among texts; of the same shape."""
    gone: Array = values == None if values.dtype == object else np.isnan(values)  # noqa: E711  (cell by cell)
    return gone


def _as_column(name: str, values: Array | Coded) -> Array | Coded:
    if isinstance(values, Coded):
        return Coded(np.asarray(_as_column(name, values.values)), values.codes)
    array = np.asarray(values)
    if array.ndim != 1:
        raise ShapeError(f"column {name!r} must have one dimension, got shape {array.shape}")
    if array.dtype.kind in "iuf":
        return array.astype(np.float64, copy=False)
    if array.dtype.kind == "U":  # again, for in ["x", 3] the number became text
        array = np.array(values, dtype=object)
    if array.dtype.kind == "O":
        strange = {kind for kind in set(map(type, array.tolist())) if not issubclass(kind, str | None)}
        if strange:
            found = next(value for value in array if type(value) in strange)
            raise InputError(f"column {name!r} must hold numbers or text, got {found!r} among its cells")
    elif array.dtype.kind != "b":
        raise InputError(f"column {name!r} must hold numbers or text, got {array.dtype}")
    return array
