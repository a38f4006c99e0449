"""Records of keys and values: ``Name: Anna`` on a line each, YAML's lists of them, ``a=1 b=2`` in logs."""

from __future__ import annotations

import os
import re

import numpy as np

from deltarule.data.decisions import decide
from deltarule.data.reading.raw_table import RawTable, ReadingOptions, columns_of
from deltarule.errors import DataFileError

_PAIR = re.compile(r"\s*(?:-\s+)?[\"']?([^\W\d][\w .()/%-]{0,60}?)[\"']?\s*(?::|=|-(?=\s))(?:\s+(.*))?")
_ON_ONE_LINE = re.compile(r"(?:[\w.]+=(?:\"[^\"]*\"|\S*)\s+)+[\w.]+=(?:\"[^\"]*\"|\S*)\s*")
_FEWEST = 3
_LOOKED_AT = 200


def is_key_values(text: str) -> bool:
    """Return whether lines are pairs of at least two keys that return, or have several pairs each.

    Examples
    --------
    >>> is_key_values("a: 1\\nb: 2\\n\\n" * 3), is_key_values("a: 1\\nb: 2\\nc: 3\\n")
    (True, False)
    """
    lines = [line for line in text[: 1 << 16].splitlines()[:_LOOKED_AT] if line.strip(" -=")]
    if len(lines) >= _FEWEST and all(map(_ON_ONE_LINE.fullmatch, lines)):
        return True
    found = [_PAIR.fullmatch(line) for line in lines]
    keys = [match[1] for match in found if match]
    if len(keys) < len(lines) or not keys:
        return False
    return len(set(keys)) > 1 and keys.count(keys[0]) >= _FEWEST and len(keys) >= _FEWEST * len(set(keys)) / 2


def read_key_values(path: str | os.PathLike[str], text: str, options: ReadingOptions) -> RawTable:
    """Read each record as a row: one begins where a key returns.

    Raises
    ------
    DataFileError
        If a line is no pair.
    """
    records: list[dict[str, str]] = []
    lines: list[int] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip(" -="):
            continue
        if _ON_ONE_LINE.fullmatch(line):
            pairs = re.findall(r"([\w.]+)=(\"[^\"]*\"|\S*)", line)
            records.append({key: value.strip('"') for key, value in pairs})
            lines.append(number)
            continue
        found = _PAIR.fullmatch(line)
        if found is None:
            raise DataFileError(
                path, f"expected a pair such as 'Name: Anna', got {line.strip()!r}", number, 1
            )
        if not records or found[1] in records[-1]:
            records.append({})
            lines.append(number)
        records[-1][found[1]] = (found[2] or "").strip().strip("\"'")
    names = tuple(dict.fromkeys(name for record in records for name in record))
    cells = columns_of(([record.get(name, "") for name in names] for record in records), names, options.kinds)
    told = decide("format", 1, 1, what="records of keys and values")
    return RawTable(names, cells, np.array(lines), decisions=(told,))
