"""Tables that are no text: spreadsheets, JSON, Parquet, Feather, SQLite, and databases by their URL."""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.data.decisions import Decision, decide
from deltarule.data.raw_files import describe
from deltarule.data.reading.cells import Cells
from deltarule.data.reading.delimited import table_of_rows
from deltarule.data.reading.frames import frame_of_rows
from deltarule.data.reading.raw_table import RawTable, ReadingOptions, cell_text, columns_of
from deltarule.errors import DataFileError
from deltarule.registry import import_extra

_MOST_NUMBERS = 1_000  # in one cell
_Path = str | os.PathLike[str]


def read_excel(path: _Path, data: bytes, options: ReadingOptions) -> RawTable:
    """Read a sheet of a spreadsheet: the one named, else the first that has rows."""
    calamine = import_extra("python_calamine", "data")
    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise DataFileError(path, f"this spreadsheet is damaged: {describe(error)}") from None
    filled = {name: rows for name, rows in sheets.items() if any(map(any, rows))}
    name, decisions = choose_table(path, sorted(filled, key=lambda name: -len(filled[name])), options.table)
    rows = [[cell_text(None if cell == "" else cell) for cell in row] for row in filled[name]]
    used = [any(row[place].strip() for row in rows) for place in range(len(rows[0]))]
    rows = [[cell for cell, kept in zip(row, used, strict=True) if kept] for row in rows]
    return table_of_texts(path, rows, options, decisions)


def table_of_texts(
    path: _Path, rows: list[list[str]], options: ReadingOptions, decisions: Sequence[Decision] = ()
) -> RawTable:
    """Make a table of rows of texts that are divided already, after what was decided to get them."""
    numbered = [(number, cells) for number, cells in enumerate(rows, 1) if any(map(str.strip, cells))]
    frame = frame_of_rows(numbered, options)
    raw = table_of_rows(path, numbered[len(frame.before) :], frame, options)
    return replace(raw, decisions=(*decisions, *raw.decisions))


def read_json(path: _Path, data: bytes, options: ReadingOptions) -> RawTable:
    """Read JSON: records in a list or line by line, or columns by name; what is nested gets dotted names."""
    try:
        text = data.decode("utf-8-sig")
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            value = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError) as error:
        raise DataFileError(
            path, f"this is not JSON: {describe(error)}", getattr(error, "lineno", None)
        ) from None
    if (split := _names_and_rows(value)) is not None:
        value, options = split, replace(options, header=True)
    if isinstance(value, dict):
        value = _longest_list(value) or _records_of_columns(value)
    if not isinstance(value, list) or not value or not all(isinstance(item, dict | list) for item in value):
        raise DataFileError(path, 'expected records such as [{"width": 1.5, "kind": "crab"}, …]')
    if isinstance(value[0], list):
        return table_of_texts(path, [[cell_text(cell) for cell in row] for row in value], options)
    records = [_flat(item) for item in value]
    names = tuple(dict.fromkeys(name for item in records for name in item))
    return _from_rows(path, names, ([item.get(name) for name in names] for item in records), options, [])


def _longest_list(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the longest list of records in an object, or in the objects within it."""
    lists = [item for item in value.values() if isinstance(item, list) and item and isinstance(item[0], dict)]
    lists += [_longest_list(item) for item in value.values() if isinstance(item, dict)]
    return max(lists, key=len, default=[])


def _names_and_rows(value: Any) -> list[Any] | None:
    """Return names and rows that an object, or one within it, holds apart: "columns" and "data" or "rows"."""
    if not isinstance(value, dict):
        return None
    rows = value.get("data", value.get("rows"))
    if isinstance(value.get("columns"), list) and isinstance(rows, list):
        return [value["columns"], *rows]
    return next((found for item in value.values() if (found := _names_and_rows(item)) is not None), None)


def _records_of_columns(value: Mapping[str, Any]) -> Any:
    records = [item for item in value.values() if isinstance(item, dict)]
    if len(records) == len(value) > max((len(item) for item in records), default=0):
        return records  # by their names, more of them than columns
    columns = {name: list(item.values()) if isinstance(item, dict) else item for name, item in value.items()}
    lengths = {len(item) if isinstance(item, list) else -1 for item in columns.values()}
    if len(lengths) != 1 or lengths <= {-1, 0}:
        return [value]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _flat(item: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(item, dict):
        return {prefix.rstrip("."): item}
    found: dict[str, Any] = {}
    for name, value in item.items():
        if isinstance(value, list) and 0 < len(value) <= _MOST_NUMBERS and all(map(_is_number, value)):
            value = dict(enumerate(value, 1))  # such as coordinates
        found |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def read_parquet(path: _Path, data: bytes, options: ReadingOptions) -> RawTable:
    """Read a Parquet file with DuckDB."""
    duckdb = import_extra("duckdb", "data")
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        file = Path(folder, "rows.parquet")
        file.write_bytes(data)
        try:
            relation = connection.from_parquet(str(file))
            arrays = relation.fetchnumpy()
        except (
            duckdb.Error,
            RuntimeError,
        ) as error:  # what reads the file's table of contents raises the second
            raise DataFileError(path, f"this Parquet file is damaged: {describe(error)}") from None
    if not arrays or not len(next(iter(arrays.values()))):
        raise DataFileError(path, "the file holds no rows")
    return RawTable(tuple(arrays), tuple(cells_of_array(values) for values in arrays.values()))


def cells_of_array(values: Any) -> Cells:
    """Take an array, masked where cells are missing: of numbers, booleans, dates or objects."""
    gone, plain = np.ma.getmaskarray(values), np.ma.getdata(values)
    if plain.dtype.kind in "iuf" and (
        plain.dtype.kind != "f" or np.isfinite(plain[~gone & ~np.isnan(plain)]).all()
    ):
        numbers = np.where(gone, np.nan, plain.astype(float))
        return Cells(numbers)
    if plain.dtype.kind == "M":
        texts = np.datetime_as_string(plain.astype("datetime64[s]")).tolist()
        return Cells.of(
            ["" if absent or text == "NaT" else text for text, absent in zip(texts, gone, strict=True)]
        )
    cells = [
        "" if absent or value is None else "nan" if value is not value else cell_text(value)
        for value, absent in zip(plain.tolist(), gone, strict=True)
    ]
    return Cells.of(cells)


def read_feather(path: _Path, data: bytes, options: ReadingOptions) -> RawTable:
    """Read a Feather or Arrow file, with pyarrow or else polars."""
    try:
        reader: Callable[[io.BytesIO], Any] = import_extra("pyarrow.feather", "arrow").read_table
    except ImportError:
        reader = import_extra("polars", "arrow").read_ipc
    try:
        columns = reader(io.BytesIO(data))
        names = tuple(map(str, getattr(columns, "column_names", None) or columns.columns))
        cells = [
            columns[name].to_pylist() if hasattr(columns[name], "to_pylist") else columns[name].to_list()
            for name in names
        ]
    except Exception as error:  # of either library's many kinds
        raise DataFileError(path, f"this Feather file is damaged: {describe(error)}") from None
    return _from_rows(path, names, zip(*cells, strict=True), options, [])


def _from_rows(
    path: _Path,
    names: Sequence[str],
    rows: Iterable[Iterable[Any]],
    options: ReadingOptions,
    decisions: list[Decision],
) -> RawTable:
    found = [[cell_text(cell) for cell in row] for row in rows]
    if not found:
        raise DataFileError(path, "the table holds no rows")
    named = tuple(names)
    return RawTable(named, columns_of(found, named, options.kinds), decisions=tuple(decisions))


def read_sqlite(path: _Path, data: bytes, options: ReadingOptions) -> RawTable:
    """Read a table of an SQLite file: the one named, else the largest."""
    import sqlite3  # not every Python has it

    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.deserialize(data)
            listed = connection.execute(
                "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
            )
            counts = {
                name: connection.execute(f"SELECT count(*) FROM {_quoted(name)}").fetchone()[0]
                for (name,) in listed.fetchall()
            }
            name, decisions = choose_table(
                path, sorted(counts, key=lambda name: -counts[name]), options.table
            )
            cursor = connection.execute(f"SELECT * FROM {_quoted(name)}")
            rows = cursor.fetchall()
        except (sqlite3.Error, UnicodeDecodeError, MemoryError) as error:
            raise DataFileError(path, f"this SQLite file is damaged: {describe(error)}") from None
    return _from_rows(path, [item[0] for item in cursor.description], rows, options, decisions)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def without_password(url: str) -> str:
    """Return the address of a database as messages show it."""
    return url.partition("@")[2] or url


@contextmanager
def database(url: str) -> Iterator[Any]:
    """Connect, and let go of all connections at the end; what goes wrong is an error about the database."""
    alchemy = import_extra("sqlalchemy", "sql")
    shown = without_password(url)
    try:
        engine = alchemy.create_engine(url)
        file = engine.url.database if engine.url.get_backend_name() == "sqlite" else None
        if file and not file.startswith(("file:", ":memory:")) and not os.path.exists(file):
            raise DataFileError(shown, "cannot be read: no such file")  # SQLite would make an empty one
        try:
            yield engine
        finally:
            engine.dispose()
    except (alchemy.exc.SQLAlchemyError, ImportError) as error:
        raise DataFileError(shown, f"cannot be read: {describe(error)}") from None


def read_database(url: str, options: ReadingOptions) -> RawTable:
    """Read a table of a database that SQLAlchemy connects to."""
    alchemy = import_extra("sqlalchemy", "sql")
    with database(url) as engine:
        name, decisions = choose_table(url, alchemy.inspect(engine).get_table_names(), options.table)
        with engine.connect() as connection:
            result = connection.execute(alchemy.select(alchemy.text("*")).select_from(alchemy.table(name)))
            names, rows = list(result.keys()), result.fetchall()
    return _from_rows(url, names, rows, options, decisions)


def choose_table(path: _Path, names: Sequence[str], wanted: str | None) -> tuple[str, list[Decision]]:
    """Return the table that is named, else the first, which is then a decision."""
    if not names:
        raise DataFileError(path, "it contains no table")
    if wanted is not None:
        found = [name for name in names if name.lower() == wanted.lower()]
        if not found:
            raise DataFileError(path, f"there is no table {wanted!r}; choose from: {', '.join(names)}")
        return found[0], []
    return names[0], [decide("sheet", count=len(names), name=names[0])] if len(names) > 1 else []
