"""What students wrote: a number as people write it, and files of answers and of names."""

from __future__ import annotations

import csv
import io
import math
import os
import re
from fractions import Fraction
from typing import NamedTuple

from deltarule.data.raw_files import describe, read_bytes
from deltarule.data.reading.delimited import rows_of
from deltarule.data.reading.frames import TableFrame
from deltarule.data.reading.text_encodings import decode_text
from deltarule.errors import DataFileError
from deltarule.registry import import_extra

_MINUS = str.maketrans("−–‒﹣－＋", "-----+")
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d{1,3})?")
_FRACTION = re.compile(r"([+-]?\d{1,15})/(\d{1,15})")
_LONGEST = 60


class StudentAnswer(NamedTuple):
    """What was answered: the text, the number in it, and with how many decimals; None for a fraction.

    Of a text without a number the value is NaN.
    """

    value: float
    decimals: int | None
    text: str = ""


def read_answer(text: str) -> StudentAnswer | None:
    """Read a number as people write it; None where nothing was written.

    A decimal comma and point, every kind of minus sign and fractions are taken. Anything else is an answer
    too, without a number.

    Examples
    --------
    >>> read_answer("0,3775"), read_answer(" ")
    (StudentAnswer(value=0.3775, decimals=4, text='0,3775'), None)
    >>> read_answer("−1/4").value, read_answer("don't know").value
    (-0.25, nan)
    """
    written = " ".join(text.split())
    if not written:
        return None
    value, decimals = _number_in(re.sub(r"\s", "", text).translate(_MINUS))
    return StudentAnswer(value, decimals, written)


def _number_in(plain: str) -> tuple[float, int | None]:
    """The number and its decimals; NaN where it is none."""
    fraction = _FRACTION.fullmatch(plain)
    if fraction and int(fraction[2]):
        return float(Fraction(int(fraction[1]), int(fraction[2]))), None
    if len(plain) > _LONGEST or not _NUMBER.fullmatch(plain):
        return math.nan, None
    value = float(plain.replace(",", "."))
    if not math.isfinite(value):
        return math.nan, None
    has_exponent = re.search(r"[eE]", plain)
    return value, None if has_exponent else len(re.sub(r"^[^.,]*[.,]?", "", plain))


class AnswerRows(NamedTuple):
    """A table of texts: its header, each row with the line on which it begins, and what was wrong with it."""

    path: str
    header: list[str]
    rows: list[tuple[int, list[str]]]
    faults: list[DataFileError]


def read_rows(path: str | os.PathLike[str]) -> AnswerRows:
    """Read a table whose first row names the columns: a spreadsheet, or CSV in any encoding.

    Every cell is a text, ``NA`` too. The delimiter of a CSV file (``,`` ``;`` tab ``|``) is the one that the
    header has most of. Beside ``,`` an answer with a decimal comma may stand unquoted in the last column. A
    row that cannot be read as it is is read as well as it can be, and listed.

    Raises DataFileError if the file cannot be read, or has no header.
    """
    data, faults = read_bytes(path), list[DataFileError]()
    if data[:2] == b"PK" or data[:4] == b"\xd0\xcf\x11\xe0":
        delimiter, rows = "", _rows_of_spreadsheet(path, data)
    else:
        text, _ = decode_text(path, data, None)
        delimiter = max(",;\t|", key=re.sub(r'"[^"]*"', "", text.lstrip().partition("\n")[0]).count)
        rows, faults = _rows_of_text(path, text, delimiter)
    rows = [row for row in rows if any(map(str.strip, row[1]))]
    if not rows:
        raise DataFileError(path, "the file is empty; its first line must name the columns", 1, 1)
    header = [name.strip() for name in rows[0][1]]
    fitted = [(line, _fitted(path, len(header), line, row, delimiter, faults)) for line, row in rows[1:]]
    return AnswerRows(os.fspath(path), header, fitted, faults)


def _rows_of_spreadsheet(path: str | os.PathLike[str], data: bytes) -> list[tuple[int, list[str]]]:
    """The rows of the first sheet; whole numbers without a point."""
    calamine = import_extra("python_calamine", "data")
    try:
        cells = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise DataFileError(path, f"this spreadsheet is damaged: {describe(error)}") from None
    return [(line, [f"{cell:.15g}" if isinstance(cell, float) else str(cell) for cell in row])
            for line, row in enumerate(cells, 1)]  # fmt: skip


def _rows_of_text(
    path: str | os.PathLike[str], text: str, delimiter: str
) -> tuple[list[tuple[int, list[str]]], list[DataFileError]]:
    """The rows of CSV; where quotation marks do not fit, each line by itself."""
    try:
        return list(rows_of(path, text, TableFrame(delimiter))), []
    except DataFileError as error:
        lines = text.splitlines()
        rows = [(n, next(csv.reader([line], delimiter=delimiter), [])) for n, line in enumerate(lines, 1)]
        return rows, [error]


def _fitted(
    path: str | os.PathLike[str],
    n: int,
    line: int,
    row: list[str],
    delimiter: str,
    faults: list[DataFileError],
) -> list[str]:
    """The row with a decimal comma mended; one that is too long or too short is cut or filled, and listed."""
    is_number = delimiter == "," and len(row) == n + 1 and n > 1
    if is_number and re.fullmatch(r"\s*[+−-]?\d*,\d+\s*", ",".join(row[-2:])):
        return [*row[:-2], ",".join(row[-2:])]
    if len(row) != n:
        reason = f"expected {n} fields as in the header, got {len(row)}"
        faults.append(DataFileError(path, reason, line, min(len(row), n) + 1))
    return [*row[:n], *[""] * (n - len(row))]


def column_of(rows: AnswerRows, *names: str) -> int:
    """Return the place of the first of these columns that is there; DataFileError if none is."""
    headings = [name.lower() for name in rows.header]
    for name in names:
        if name in headings:
            return headings.index(name)
    wanted = " or ".join(repr(name) for name in names)
    raise DataFileError(
        rows.path, f"the first line must name a column {wanted}, got {', '.join(rows.header)[:60]!r}", 1, 1
    )
