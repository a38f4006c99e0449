"""CSV files of a known layout: rows of texts, and the exact place of whatever is wrong."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator, Sequence
from itertools import islice

from deltarule.data.raw_files import read_bytes
from deltarule.errors import DataFileError

_DELIMITERS = ",;\t|"


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
        raise DataFileError(path, f"not a CSV row: {error}", line, bad_field(row_text, delimiter)) from None


def check_width(path: str | os.PathLike[str], header: Sequence[str], line: int, row: Sequence[str]) -> None:
    """Refuse a row that has more or fewer fields than the header."""
    if len(row) != len(header):
        reason = f"expected {len(header)} fields as in the header, got {len(row)}"
        raise DataFileError(path, reason, line, min(len(row), len(header)) + 1)


def bad_field(row: str, delimiter: str) -> int:
    """Return the number of the first field that is too long, or not followed by a delimiter or the end."""
    field = re.compile(rf'"[^"]*(?:""[^"]*)*"|[^"{delimiter}]*')
    number, start = 1, 0
    while (match := field.match(row, start)) and len(match[0]) <= csv.field_size_limit():
        if row[match.end() : match.end() + 1] != delimiter:
            break
        number, start = number + 1, match.end() + 1
    return number
