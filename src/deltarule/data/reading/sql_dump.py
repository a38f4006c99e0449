"""Dumps of databases: the rows of a table among the statements of SQL that would make it again."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import numpy as np

from deltarule.data.reading.other_sources import choose_table
from deltarule.data.reading.raw_table import RawTable, ReadingOptions, columns_of
from deltarule.errors import DataFileError

_COMMENTS = r"(?:\s*(?:--[^\n]*\n|#[^\n]*\n|/\*.*?\*/\s*;?))*\s*"
_BEGINS = re.compile(
    _COMMENTS
    + r"(?:(?:SET|DROP|USE|BEGIN|START|PRAGMA|SELECT|LOCK|ALTER|CREATE|GO)\b[^;]*?(?:;|\nGO\b)"
    + _COMMENTS
    + r")*(?:CREATE\s+TABLE|INSERT|COPY)\s",
    re.IGNORECASE | re.DOTALL,
)
_NAME = r'((?:[`"\[]?[^\s`"\[\](),;]+[`"\]]?\.)*(?:`[^`]+`|"[^"]+"|\[[^\]]+\]|[^\s`"\[\](),;]+))'
_STATEMENT = re.compile(
    rf"^\s*(?:CREATE\s+(?:TEMPORARY\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?{_NAME}\s*\(|INSERT\s+(?:OR\s+\w+\s+|IGNORE\s+)?"
    rf"(?:INTO\s+)?{_NAME}\s*(?:\(([^)]*)\))?\s*VALUES|COPY\s+{_NAME}\s*(?:\(([^)]*)\))?\s+FROM\s+stdin[^\n]*\n)",
    re.IGNORECASE | re.MULTILINE,
)
_TOKEN = re.compile(r"[NEB]?'(?:[^'\\]|\\.|'')*'|[^\s'(),;]+|[(),;]", re.DOTALL | re.IGNORECASE)
_COLUMN = re.compile(r'\s*(`[^`]+`|"[^"]+"|\[[^\]]+\]|\w+)')
_NO_COLUMN = re.compile(
    r"\s*(PRIMARY|FOREIGN|UNIQUE|KEY|INDEX|CONSTRAINT|CHECK|FULLTEXT|EXCLUDE)\b", re.IGNORECASE
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": ""}


def is_sql(text: str) -> bool:
    """Return whether a text consists of statements that make a table, or fill one.

    Examples
    --------
    >>> is_sql("-- mine\\nCREATE TABLE crabs (width real);"), is_sql("create,insert\\n1,2\\n")
    (True, False)
    """
    return _BEGINS.match(text[: 1 << 16]) is not None and _STATEMENT.search(text) is not None


def read_sql(path: str | os.PathLike[str], text: str, options: ReadingOptions) -> RawTable:
    """Read a table of a dump: the one named, else the one with the most rows.

    Raises
    ------
    DataFileError
        If no rows are inserted, or one has more or fewer values than its table has columns.
    """
    names: dict[str, tuple[str, ...]] = {}
    rows: dict[str, list[tuple[int, list[str]]]] = {}
    place, line = 0, 1
    while (found := _STATEMENT.search(text, place)) is not None:
        created, inserted, columns, copied, copied_columns = found.groups()
        table = _bare(created or inserted or copied)
        listed = tuple(map(_bare, (columns or copied_columns or "").split(","))) if not created else ()
        if created:
            names[table] = _columns_of(text, found.end())
        elif listed != ("",):
            names[table] = listed
        line += text.count("\n", place, found.end())
        place = found.end()
        reader = _copied if copied else _inserted
        for end, cells in () if created else reader(text, place):
            rows.setdefault(table, []).append((line, cells))
            line += text.count("\n", place, end)
            place = end
    table, decisions = choose_table(path, sorted(rows, key=lambda name: -len(rows[name])), options.table)
    width = len(rows[table][0][1])
    named = names.get(table, tuple(f"c{number}" for number in range(1, width + 1)))
    for line, cells in rows[table]:
        if len(cells) != len(named):
            raise DataFileError(path, f"expected {len(named)} values, got {len(cells)}", line)
    cells_of_columns = columns_of((cells for _, cells in rows[table]), named, options.kinds)
    lines = np.array([line for line, _ in rows[table]])
    return RawTable(named, cells_of_columns, lines, decisions=tuple(decisions))


def _bare(name: str) -> str:
    """Return a name without quotes and without that of the schema before it."""
    return re.sub(r'^.*\.(?=[`"\[\w])', "", name.strip()).strip('`"[]')


def _columns_of(text: str, start: int) -> tuple[str, ...]:
    """Return the names of the columns that are declared from a place on."""
    depth, parts, begin = 1, [], start
    for found in re.finditer(r"'[^']*'|[(),]", text[start:]):
        end = start + found.start()
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if depth == 0 or (depth == 1 and found[0] == ","):
            parts.append(text[begin:end])
            begin = end + 1
        if depth == 0:
            break
    columns = [_COLUMN.match(part) for part in parts if not _NO_COLUMN.match(part)]
    return tuple(_bare(column[1]) for column in columns if column)


def _inserted(text: str, start: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the values of each row up to the end of the statement, and where the row ends."""
    cells: list[str] = []
    depth = 0
    for found in _TOKEN.finditer(text, start):
        token = found[0]
        if token == ";" or (depth == 0 and token not in "(,"):
            return
        depth += {"(": 1, ")": -1}.get(token, 0)
        if token == "(":
            cells = [*cells[:-1], ""] if depth > 1 else [""]  # CAST(5 AS int) is 5
        elif token == ")" and depth == 0:
            yield found.end(), cells
        elif token == "," and depth == 1:
            cells.append("")
        elif token[-1] == "'":
            cells[-1] = cells[-1] or _unescaped(token[token.index("'") + 1 : -1].replace("''", "'"))
        elif not cells[-1] and token not in "),;" and token.upper() != "NULL" and not token.startswith("::"):
            cells[-1] = token


def _copied(text: str, start: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of each line up to ``\\.``, as PostgreSQL writes them, and where the line ends."""
    while (end := text.find("\n", start)) >= 0 and not text.startswith("\\.", start):
        cells = text[start:end].split("\t")
        start = end + 1
        yield start, ["" if cell == "\\N" else _unescaped(cell) for cell in cells]


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), text, flags=re.DOTALL)
