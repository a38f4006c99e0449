"""Large plain CSV files, read by DuckDB with all cores.

The reader of `delimited` is the specification: this one gives the same table, or None wherever anything is
not plain, and then that one reads the file, and has the words for what is wrong with it.
"""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from deltarule.data.reading.cells import NONE, Cells, is_missing
from deltarule.data.reading.containers import is_plain_text
from deltarule.data.reading.delimited import frame_decisions, is_footer, is_total, name_columns_of
from deltarule.data.reading.frames import TableFrame, divide, find_frame
from deltarule.data.reading.headers import is_second_header
from deltarule.data.reading.raw_table import RawTable, ReadingOptions, has_header
from deltarule.data.reading.sql_dump import is_sql

_LEAST = 1 << 22  # bytes from which on it is worth it
_MOST_COLUMNS = 1_000
_HEAD, _TAIL = 1 << 18, 1 << 13
_BUFFERS = (1 << 21, 1 << 23)  # bytes that a thread reads at once, of small and large files
_LARGE = 1 << 27
_LINE = 1 << 18  # bytes of the longest line


def read_bulk(path: str | os.PathLike[str], options: ReadingOptions) -> RawTable | None:
    """Read a large plain file; None where it is another, or DuckDB is not there."""
    if options.format not in (None, "text") or options.encoding or not os.path.isfile(path):
        return None
    if os.path.getsize(path) < _LEAST:
        return None
    try:
        import duckdb
    except ModuleNotFoundError:
        return None
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        head = _plain_head(data)
        if head is None:
            return None
        frame = find_frame(head, options)
        rows = [cells for _, cells in divide(head.splitlines(), frame.delimiter, frame.quote)]
        if not _is_plain(frame, rows, data):
            return None
        n_lines = _count_lines(data)
    headed = has_header(rows[:200], options)
    names, named = name_columns_of(
        path, [(line, cells) for line, cells in enumerate(rows[:200], 1)], frame, headed=headed
    )
    first = [(cells, Cells.of(cells)) for cells in zip(*rows[headed:], strict=True)]
    kinds = [
        "DOUBLE" if _is_numeric(cells, options.kinds.get(name)) else "VARCHAR"
        for name, (_, cells) in zip(names, first, strict=True)
    ]
    with_tokens = [texts for texts, cells in first if cells.missing().any()]
    with duckdb.connect() as connection:
        tokens = {text for cells in with_tokens for cell in {*cells} if is_missing(text := cell.strip())}
        read = _Read(
            os.fspath(path),
            frame.delimiter,
            headed,
            ["", *sorted(t for t in tokens if t and t.lower() != NONE)],
        )
        columns = _read_columns(connection, read, kinds, n_lines)
    if columns is None or (headed and rows[0][0].strip() in columns[0].texts):
        return None
    if any(map(is_total, (*columns[0].texts, *columns[1].texts))):
        return None
    lines = np.arange(1 + headed, n_lines + 1, dtype=np.min_scalar_type(n_lines))
    decisions = (*frame_decisions(frame, options), *named)
    return RawTable(names, columns, lines, frame.delimiter == ";", decisions, headed)


def _plain_head(data: mmap.mmap) -> str | None:
    """Return the first lines, where the file is UTF-8 text without numbers that only Python would read."""
    head = data[:_HEAD]
    head = head[: head.rfind(b"\n") + 1]
    if (
        not head
        or b"\r" in head.replace(b"\r\n", b"")
        or not is_plain_text(head)
        or head.startswith(b"\xef\xbb\xbf")
        or is_sql(head.decode(errors="replace"))
    ):
        return None
    if data.find(b"_", len(head.split(b"\n", 1)[0])) >= 0 and re.search(rb"\d_\d", data):
        return None
    try:
        return head.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _is_plain(frame: TableFrame, rows: Sequence[list[str]], data: mmap.mmap) -> bool:
    """Return whether nothing stands around the table, and its rows are even as far as they are looked at."""
    if (
        frame.delimiter == " "
        or frame.quote != '"'
        or frame.comment
        or frame.start
        or frame.names
        or frame.escape
        or len(rows) < 3
        or is_second_header(rows[1:])
    ):
        return False
    if not 1 < frame.width <= _MOST_COLUMNS or any(len(cells) != frame.width for cells in rows):
        return False
    tail = data[max(0, len(data) - _TAIL) :].decode("utf-8", errors="replace").splitlines()[1:]
    last = [cells for _, cells in divide(tail, frame.delimiter, frame.quote)]
    return bool(last) and not any(
        len(cells) != frame.width or is_footer(cells, frame.width) for cells in last
    )


def _count_lines(data: mmap.mmap) -> int:
    count, step = 0, 1 << 24
    for start in range(0, len(data), step):
        count += data[start : start + step].count(b"\n")
    return count + (data[-1:] != b"\n")


def _is_numeric(cells: Cells, kind: str | None) -> bool:
    """Return whether the first cells of a column are numbers."""
    return kind in (None, "number") and cells.numbers is not None and not cells.missing().all()


class _Read(NamedTuple):
    """How DuckDB reads a file; each token costs time: only those are named that the first rows have."""

    path: str
    delimiter: str
    headed: bool
    tokens: list[str]


def _read_columns(connection: Any, read: _Read, kinds: list[str], n_lines: int) -> tuple[Cells, ...] | None:
    """Read the columns; those with other cells among numbers once more, as texts."""
    import duckdb

    from deltarule.data.reading.arrow_stream import read_stream

    connection.execute("SET enable_progress_bar = false; SET streaming_buffer_size = '1MB'")
    buffer = _BUFFERS[os.path.getsize(read.path) >= _LARGE]
    for _ in range(2):
        try:
            types = {f"c{place}": kind for place, kind in enumerate(kinds)}
            relation = connection.read_csv(
                read.path, columns=types, sep=read.delimiter,
                quotechar='"', escapechar='"', header=False, skiprows=int(read.headed), auto_detect=False,
                na_values=read.tokens, store_rejects=True, rejects_limit=10_000,
                buffer_size=buffer, max_line_size=_LINE,
            )  # fmt: skip
            columns = read_stream(relation, kinds, n_lines - read.headed)
            rejects = connection.execute(
                "SELECT DISTINCT column_idx, error_type FROM reject_errors"
            ).fetchall()
        except (duckdb.Error, RuntimeError):
            return None
        if any(kind != "CAST" for _, kind in rejects):
            return None
        if not rejects:
            return None if columns is None or _has_empty_row(columns) else tuple(columns)
        for place, _ in rejects:
            kinds[place - 1] = "VARCHAR"
        connection.execute("DROP TABLE reject_errors; DROP TABLE reject_scans")
    return None


def _has_empty_row(columns: Sequence[Cells]) -> bool:
    empty = columns[0].missing()
    for column in columns[1:]:
        if not empty.any():
            return False
        empty &= column.missing()
    return bool(empty.any())
