"""CSV files: cells to numbers or text, and the exact place of whatever is wrong."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator, Mapping
from itertools import islice

import numpy as np

from deltarule.arrays import Array
from deltarule.data.encoding import Origin, Table
from deltarule.data.raw_files import read_bytes
from deltarule.errors import DataFileError
from deltarule.registry import record

__all__ = ["MISSING_CELLS", "read_csv"]

MISSING_CELLS = frozenset({"", "NA", "N/A", "NaN", "nan", "NAN", "null", "NULL", "?"})

_DELIMITERS = ",;\t|"
_BOOLEANS = {"true": 1.0, "false": 0.0}


def read_csv(
    path: str | os.PathLike[str], kinds: Mapping[str, str | None] | None = None, others: str | None = None
) -> Table:
    """The columns of a CSV file whose first line names them.

    The delimiter (``,`` ``;`` tab ``|``) is found from the header; beside ``;`` a comma may be the decimal
    point. Lines are those on which a row begins, columns are the numbers of fields, both from 1.

    Parameters
    ----------
    path : path
    kinds : mapping of column name to "number", "text" or None, optional
        What is known beforehand; None lets the cells decide.
    others : {"number", "text", None}
        The kind of columns that ``kinds`` does not name.

    Raises
    ------
    DataFileError
        If the file is not UTF-8, or not a table with a header and rows of equal width.
    """
    text, delimiter = _decode(path)
    rows = _rows(path, text, delimiter)
    line, header = next(rows, (1, []))
    names = [name.strip() for name in header]
    _check_header(path, line, names)
    lines, records = [], []
    for line, row in rows:
        if len(row) != len(names):
            reason = f"expected {len(names)} fields as in the header, got {len(row)}"
            raise DataFileError(path, reason, line, min(len(row), len(names)) + 1)
        lines.append(line)
        records.append(row)
    if not records:
        raise DataFileError(path, "there is a header, but no rows follow it", line, 1)
    origin = Origin(os.fspath(path), np.array(lines), {name: field for field, name in enumerate(names, 1)})
    decimal = "," if delimiter == ";" else "."
    columns = {}
    for name, cells in zip(names, zip(*records, strict=True), strict=True):
        column = _Column(name, list(map(str.strip, cells)), origin, decimal)
        columns[name] = column.values((kinds or {}).get(name, others))
    return Table(columns, origin)


def _decode(path: str | os.PathLike[str]) -> tuple[str, str]:
    """The text of a UTF-8 file, and the delimiter that its first line has most of."""
    data = read_bytes(path).removeprefix(b"\xef\xbb\xbf")
    header = re.split(rb"[\r\n]", data.lstrip(), maxsplit=1)[0].decode("utf-8", errors="replace")
    unquoted = re.sub(r'"[^"]*"', "", header)
    delimiter = max(_DELIMITERS, key=unquoted.count)
    try:
        return data.decode("utf-8"), delimiter
    except UnicodeDecodeError as error:
        before = (data[: error.start] + b"?").splitlines()
        (row,) = csv.reader([before[-1].decode("utf-8", errors="replace")], delimiter=delimiter)
        reason = f"the text is not UTF-8 (byte {data[error.start]:#04x}); save it as UTF-8"
        raise DataFileError(path, reason, len(before), len(row)) from None


def _rows(path: str | os.PathLike[str], text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not blank, with the line on which it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for row in reader:
            if row:
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        row_text = "".join(islice(io.StringIO(text, newline=""), line - 1, reader.line_num))
        raise DataFileError(path, f"not a CSV row: {error}", line, _bad_field(row_text, delimiter)) from None


def _bad_field(row: str, delimiter: str) -> int:
    """The number of the first field that is too long, or that no delimiter follows though the row goes on."""
    field = re.compile(rf'"[^"]*(?:""[^"]*)*"|[^"{delimiter}]*')
    number, start = 1, 0
    while (match := field.match(row, start)) and len(match[0]) <= csv.field_size_limit():
        if row[match.end() : match.end() + 1] != delimiter:
            break
        number, start = number + 1, match.end() + 1
    return number


def _check_header(path: str | os.PathLike[str], line: int, names: list[str]) -> None:
    if not names:
        raise DataFileError(path, "the file is empty; its first line must name the columns", 1, 1)
    for field, name in enumerate(names, 1):
        reason = None
        if not name:
            reason = "the column has no name; give it one, or leave it out (of pandas: index=False)"
        elif name in names[: field - 1]:
            reason = f"there are two columns {name!r}; rename one"
        elif _is_number(name) and not name.lstrip("+-").isdigit():
            reason = f"the first line must name the columns, got the number {name}; add a header"
        if reason:
            raise DataFileError(path, reason, line, field)


@record
class _Column:
    """The cells of one column as text, on their way to values."""

    name: str
    cells: list[str]
    origin: Origin
    decimal: str

    def values(self, kind: str | None) -> Array:
        """Numbers, booleans, or text: whichever all cells are, unless the kind is known."""
        if kind != "text":
            known = self._numbers()
            if known is None:
                known = self._booleans()
            if known is not None:
                return known
            self._check_not_numbers(kind)
        return np.array([None if cell in MISSING_CELLS else cell for cell in self.cells], dtype=object)

    def _numbers(self) -> Array | None:
        cells = self.cells if self.decimal == "." else [cell.replace(",", ".") for cell in self.cells]
        texts = ("nan" if cell in MISSING_CELLS else cell for cell in cells)
        try:
            numbers = np.fromiter(map(float, texts), dtype=float, count=len(cells))
        except ValueError:
            return None
        if "_" in "".join(cells):  # float() takes 1_000 for a number
            return None
        return numbers

    def _booleans(self) -> Array | None:
        """true and false in any case; as numbers 1, 0 and NaN where some are missing."""
        present = {cell.lower() for cell in self.cells if cell not in MISSING_CELLS}
        if not present or not present <= set(_BOOLEANS):
            return None
        values = np.array([_BOOLEANS.get(cell.lower(), np.nan) for cell in self.cells])
        return values if np.isnan(values).any() else values.astype(bool)

    def _check_not_numbers(self, kind: str | None) -> None:
        """Refuse a text among numbers: most likely it is a slip, not a category."""
        present = [row for row, cell in enumerate(self.cells) if cell not in MISSING_CELLS]
        texts = [row for row in present if not _is_number(self.cells[row])]
        if kind == "number" or len(texts) * 2 < len(present):
            others = "" if kind else f", as most cells of column {self.name!r} are"
            raise self._fault(texts[0], f"expected a number{others}, got {self.cells[texts[0]][:60]!r}")

    def _fault(self, row: int, reason: str) -> DataFileError:
        lines = self.origin.lines
        line = None if lines is None else int(lines[row])
        return DataFileError(self.origin.path, reason, line, self.origin.fields[self.name])


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell
