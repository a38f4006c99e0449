"""What students wrote: a number as people write it, and files of answers and of names."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from deltarule.data.raw_files import read_bytes
from deltarule.data.reading.delimited import rows_of
from deltarule.data.reading.frames import TableFrame
from deltarule.data.reading.text_encodings import decode_text
from deltarule.errors import DataFileError

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
    """A table of texts: its header, and each row with the line on which it begins."""

    path: str
    header: list[str]
    rows: list[tuple[int, list[str]]]


def read_rows(path: str | os.PathLike[str]) -> AnswerRows:
    """Read a CSV file whose first line names the columns; every cell is a text, ``NA`` too.

    The delimiter (``,`` ``;`` tab ``|``) is the one that the header has most of. Beside ``,`` an answer with
    a decimal comma may stand unquoted in the last column.

    Raises
    ------
    DataFileError
        If the file is not UTF-8, has no header, or a row of another width.
    """
    text, decisions = decode_text(path, read_bytes(path), None)
    for decision in decisions:
        raise DataFileError(path, "the text is not UTF-8; save it as UTF-8", decision.line, decision.field)
    delimiter = max(",;\t|", key=re.sub(r'"[^"]*"', "", text.lstrip().partition("\n")[0]).count)
    rows = [row for row in rows_of(path, text, TableFrame(delimiter)) if any(map(str.strip, row[1]))]
    if not rows:
        raise DataFileError(path, "the file is empty; its first line must name the columns", 1, 1)
    header = [name.strip() for name in rows[0][1]]
    return AnswerRows(os.fspath(path), header, [_fitted(path, header, *row, delimiter) for row in rows[1:]])


def _fitted(
    path: str | os.PathLike[str], header: Sequence[str], line: int, row: list[str], delimiter: str
) -> tuple[int, list[str]]:
    """The row with a decimal comma mended; refused where it is too long or too short."""
    n = len(header)
    is_number = delimiter == "," and len(row) == n + 1 and n > 1
    if is_number and re.fullmatch(r"\s*[+−-]?\d*,\d+\s*", ",".join(row[-2:])):
        row = [*row[:-2], ",".join(row[-2:])]
    if len(row) != n:
        reason = f"expected {n} fields as in the header, got {len(row)}"
        raise DataFileError(path, reason, line, min(len(row), n) + 1)
    return line, row


def column_of(rows: AnswerRows, *names: str) -> int:
    """Return the place of the first of these columns that is there.

    Raises
    ------
    DataFileError
        If none is.
    """
    headings = [name.lower() for name in rows.header]
    for name in names:
        if name in headings:
            return headings.index(name)
    wanted = " or ".join(repr(name) for name in names)
    raise DataFileError(
        rows.path, f"the first line must name a column {wanted}, got {', '.join(rows.header)[:60]!r}", 1, 1
    )
