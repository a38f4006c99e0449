"""Rows that name only what is not 0: files of libsvm and svmlight (``number:value``), and sparse ARFF."""

from __future__ import annotations

import os
import re

import numpy as np

from deltarule.data.decisions import decide
from deltarule.data.reading.cells import Cells, plain_number
from deltarule.data.reading.raw_table import RawTable
from deltarule.errors import DataFileError

_MOST_NUMBERS = 1 << 26
_LINE = re.compile(r"[+-]?[\d.]+(\s+qid:\d+)?(\s+\d+:[-+.\deE]+)*\s*(#.*)?")


def is_libsvm(text: str) -> bool:
    """Return whether all of the first lines are labels with numbered features, of which one has several.

    Examples
    --------
    >>> is_libsvm("+1 3:0.5 7:1\\n-1 1:2\\n"), is_libsvm("10:30 3 4\\n")
    (True, False)
    """
    lines = [line for line in text[: 1 << 16].splitlines()[:50] if line.strip() and line[0] != "#"]
    lines = lines[:-1] if len(text) > 1 << 16 else lines
    return any(len(re.findall(r"\s\d+:\S", line)) > 1 for line in lines) and all(
        map(_LINE.fullmatch, map(str.strip, lines))
    )


def read_libsvm(path: str | os.PathLike[str], text: str) -> RawTable:
    """Read the labels as column ``target``, the features as ``f1``, ``f2``, …; those that are absent are 0.

    Raises
    ------
    DataFileError
        If a line is none of the kind, or the table would be too large.
    """
    lines: list[int] = []
    labels: list[str] = []
    cells: list[tuple[int, int, float]] = []
    for number, line in enumerate(text.splitlines(), 1):
        items = line.partition("#")[0].split()
        if not items:
            continue
        for field, item in enumerate(items[1:], 2):
            place, _, value = item.partition(":")
            if place == "qid":
                continue
            found = plain_number(value)
            if found is None or not place.isdigit():
                raise DataFileError(path, f"expected a feature such as 7:0.5, got {item!r}", number, field)
            cells.append((len(lines), int(place), found))
        lines.append(number)
        labels.append(items[0])
    places = sorted({place for _, place, _ in cells})
    if len(lines) * len(places) > _MOST_NUMBERS:
        raise DataFileError(path, f"{len(lines)} rows of {len(places)} features are too many for a table")
    values = np.zeros((len(places), len(lines)))
    column = {place: number for number, place in enumerate(places)}
    for row, feature, value_there in cells:
        values[column[feature], row] = value_there
    names = ("target", *(f"f{place}" for place in places))
    told = decide("format", lines[0], 1, what="libsvm (absent features are 0)")
    return RawTable(names, (Cells.of(labels), *map(Cells, values)), np.array(lines), decisions=(told,))


def dense_arff(path: str | os.PathLike[str], text: str) -> str:
    """Write the sparse rows of an ARFF file, ``{0 5.1, 3 yes}``, in full; any other text stays.

    What a row does not name is 0, or the first of the values that a column may have.

    Raises
    ------
    DataFileError
        If a row names a column that there is not.
    """
    data = re.search(r"^\s*@data[^\n]*\n", text, re.IGNORECASE | re.MULTILINE)
    if data is None or not re.match(r"(\s*(%[^\n]*)?\n)*\s*\{", text[data.end() :]):
        return text
    attribute = r"^\s*@attribute\s+(?:'[^']*'|\"[^\"]*\"|\S+)\s+(?:\{\s*([^,}]*)|\S+)"
    defaults = re.findall(attribute, text[: data.start()], re.IGNORECASE | re.MULTILINE)
    rows = []
    for number, line in enumerate(text[data.end() :].splitlines(), text.count("\n", 0, data.end()) + 1):
        cells = [default.strip() or "0" for default in defaults]
        for place, cell in re.findall(r"(\d+)\s+('[^']*'|\"[^\"]*\"|[^,}]+)", line.partition("{")[2]):
            if int(place) >= len(cells):
                raise DataFileError(path, f"there is no column {place}: they are numbered from 0", number)
            cells[int(place)] = cell.strip()
        rows.append(",".join(cells) if "{" in line else line)
    return text[: data.end()] + "\n".join(rows)
