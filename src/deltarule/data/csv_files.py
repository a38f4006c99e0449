"""CSV files: cells to numbers or text, and the exact place of whatever is wrong."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import numpy as np

from deltarule.arrays import Array
from deltarule.data.raw_files import read_bytes
from deltarule.data.table import Origin, Table
from deltarule.errors import DataFileError

MISSING_CELLS = frozenset({"", "NA", "N/A", "NaN", "nan", "NAN", "null", "NULL", "?"})

_DELIMITERS = ",;\t|"
_BOOLEANS = {"true": 1.0, "false": 0.0}


def read_csv(
    path: str | os.PathLike[str], kinds: Mapping[str, str | None] | None = None, others: str | None = None
) -> Table:
    """Read the columns of a CSV file whose first line names them; beside ``;`` a decimal comma is taken.

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
    delimiter, rows = csv_rows(path)
    line, header = next(rows, (1, []))
    names = [name.strip() for name in header]
    _check_header(path, line, names)
    lines, records = [], []
    for line, row in rows:
        check_width(path, names, line, row)
        lines.append(line)
        records.append(row)
    if not records:
        raise DataFileError(path, "there is a header, but no rows follow it", line, 1)
    decimal = "," if delimiter == ";" else "."
    columns = {}
    for field, (name, cells) in enumerate(zip(names, zip(*records, strict=True), strict=True), 1):
        kind, texts = (kinds or {}).get(name, others), [cell.strip() for cell in cells]
        values = None if kind == "text" else _as_values(texts, decimal)
        if values is None and kind != "text" and (found := _text_among_numbers(texts, kind)) is not None:
            but = "" if kind else f", as most cells of column {name!r} are"
            reason = f"expected a number{but}, got {texts[found][:60]!r}"
            raise DataFileError(path, reason, lines[found], field)
        columns[name] = _as_texts(texts) if values is None else values
    origin = Origin(os.fspath(path), np.array(lines), {name: field for field, name in enumerate(names, 1)})
    return Table(columns, origin)


def csv_rows(path: str | os.PathLike[str]) -> tuple[str, Iterator[tuple[int, list[str]]]]:
    """Read a CSV file as texts: its delimiter, and each row but blank ones, with the line on which it begins.

    The delimiter (``,`` ``;`` tab ``|``) is the one that the first line has most of. In errors, lines are
    those on which a row begins, columns are the numbers of fields, both from 1.

    Raises
    ------
    DataFileError
        If the file is not UTF-8, or, as its rows are taken, not CSV.
    """
    data = read_bytes(path).removeprefix(b"\xef\xbb\xbf")
    header = re.split(rb"[\r\n]", data.lstrip(), maxsplit=1)[0].decode("utf-8", errors="replace")
    delimiter = max(_DELIMITERS, key=re.sub(r'"[^"]*"', "", header).count)
    try:
        return delimiter, _rows_of_text(path, data.decode("utf-8"), delimiter)
    except UnicodeDecodeError as error:
        before = (data[: error.start] + b"?").splitlines()
        (row,) = csv.reader([before[-1].decode("utf-8", errors="replace")], delimiter=delimiter)
        reason = f"the text is not UTF-8 (byte {data[error.start]:#04x}); save it as UTF-8"
        raise DataFileError(path, reason, len(before), len(row)) from None


def _rows_of_text(path: str | os.PathLike[str], text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
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


def check_width(path: str | os.PathLike[str], header: Sequence[str], line: int, row: Sequence[str]) -> None:
    """Refuse a row that has more or fewer fields than the header."""
    if len(row) != len(header):
        reason = f"expected {len(header)} fields as in the header, got {len(row)}"
        raise DataFileError(path, reason, line, min(len(row), len(header)) + 1)


def _bad_field(row: str, delimiter: str) -> int:
    """Return the number of the first field that is too long, or not followed by a delimiter or the end."""
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


def _as_texts(cells: Sequence[str]) -> Array:
    return np.array([None if cell in MISSING_CELLS else cell for cell in cells], dtype=object)


def _as_values(cells: Sequence[str], decimal: str) -> Array | None:
    """Return numbers or booleans, whichever all cells are; None where they are neither."""
    numbers = cells if decimal == "." else [cell.replace(",", ".") for cell in cells]
    texts = ("nan" if cell in MISSING_CELLS else cell for cell in numbers)
    try:
        values = np.fromiter(map(float, texts), dtype=float, count=len(cells))
    except ValueError:
        return _as_booleans(cells)
    return None if "_" in "".join(cells) else values  # float() takes 1_000 for a number


def _as_booleans(cells: Sequence[str]) -> Array | None:
    """Return what true and false mean, in any case; as numbers 1, 0 and NaN where some are missing."""
    present = {cell.lower() for cell in cells if cell not in MISSING_CELLS}
    if not present <= set(_BOOLEANS):
        return None
    values = np.array([_BOOLEANS.get(cell.lower(), np.nan) for cell in cells])
    return values if np.isnan(values).any() else values.astype(bool)


def _text_among_numbers(cells: Sequence[str], kind: str | None) -> int | None:
    """Find the first row with a text where numbers belong: most likely a slip, not a category."""
    present = [row for row, cell in enumerate(cells) if cell not in MISSING_CELLS]
    texts = [row for row in present if not _is_number(cells[row])]
    return texts[0] if kind == "number" or len(texts) * 2 < len(present) else None


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell
