"""What every reader gives: the names of columns, their cells, and the lines on which rows begin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deltarule.arrays import Array
from deltarule.data.decisions import Decision
from deltarule.data.reading.cells import Cells
from deltarule.data.reading.headers import is_header
from deltarule.registry import record

_LOOKED_AT = 20_000  # cells, to tell a header


@record
class ReadingOptions:
    """What a user can specify about a file; None and the other defaults leave it to the file.

    ``kinds`` names how columns are read: "number", "comma" (numbers with decimal commas), "yes-no", "ymd",
    "dmy", "mdy" (dates), "unit kg", "text". ``ragged`` rows, which have a different number of cells, are left
    out ("drop") or filled and cut ("fill"). ``indicators`` asks for an additional column for each column with
    missing cells. ``table`` is a sheet, or a table of a database. ``names`` are some of the names that a
    header is expected to contain. For pictures, ``size`` is (width, height), ``color`` says whether they are
    read in colour, ``paper`` is the colour behind transparent ones ("black", "white"), and ``labels`` are the
    classes of a model to be evaluated.

    Examples
    --------
    >>> ReadingOptions(delimiter=";", kinds={"zip": "text"}).kinds["zip"]
    'text'
    """

    header: bool | None = None
    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    ragged: str = "drop"
    format: str | None = None
    table: str | None = None
    all_lines: bool = False
    strict: bool = False
    indicators: bool = False
    names: tuple[str, ...] = ()
    kinds: Mapping[str, str | None] = field(default_factory=dict)
    size: tuple[int, int] | None = None
    color: bool | None = None
    paper: str | None = None
    labels: tuple[str | int | float, ...] = ()


@dataclass(frozen=True, eq=False)
class RawTable:
    """A table as its file has it.

    Parameters
    ----------
    names : tuple of str
        Different names of the columns.
    columns : tuple of Cells
    lines : ndarray of int, (n_rows,), or None
        The line on which each row begins, from 1; None where the file has no lines.
    decimal_comma : bool
        Whether a decimal comma is likely, as it is beside semicolons.
    decisions : tuple of Decision
    """

    names: tuple[str, ...]
    columns: tuple[Cells, ...]
    lines: Array | None = None
    decimal_comma: bool = False
    decisions: tuple[Decision, ...] = ()
    headed: bool = True

    def __len__(self) -> int:
        return len(self.columns[0])


def plain_name(name: str) -> str:
    """Return a name without what makes no difference: case, space around it, underscores for spaces."""
    return " ".join(name.replace("_", " ").split()).casefold()


def has_header(rows: Sequence[Sequence[str]], options: ReadingOptions) -> bool:
    """Return whether the first of some rows names columns: as is said, by expected names, or as it looks."""
    if options.header is not None:
        return options.header
    expected = {plain_name(name) for name in (*options.names, *options.kinds)}
    if any(plain_name(cell) in expected for cell in rows[0]) or (len(rows) == 1 and options.kinds):
        return any(plain_name(cell) in expected for cell in rows[0])
    return is_header(rows[: max(20, _LOOKED_AT // max(len(rows[0]), 1))])


def cell_text(value: Any) -> str:
    """Write a cell of a spreadsheet, a database or JSON as a CSV file would have it.

    Examples
    --------
    >>> [cell_text(value) for value in (None, 3.0, 0.1, True, "x")]
    ['', '3', '0.1', 'true', 'x']
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return (
            ""
            if value != value
            else str(int(value))
            if value.is_integer() and abs(value) < 1e15
            else repr(float(value))
        )
    isoformat = getattr(value, "isoformat", None)
    return (
        str(isoformat(" ") if hasattr(value, "hour") and hasattr(value, "year") else isoformat())
        if isoformat
        else str(value)
    )


def columns_of(
    rows: Iterable[Sequence[str]], names: Sequence[str], kinds: Mapping[str, str | None]
) -> tuple[Cells, ...]:
    """Turn rows of texts into the cells of each column."""
    return tuple(
        Cells.of(cells, as_text=kinds.get(name) == "text")
        for name, cells in zip(names, zip(*rows, strict=True), strict=True)
    )
