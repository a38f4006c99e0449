"""Reading a table by its path, whatever kind of file it is."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace

from deltarule.data.raw_files import read_bytes
from deltarule.data.reading.bulk import read_bulk
from deltarule.data.reading.containers import unpack
from deltarule.data.reading.delimited import read_text_table
from deltarule.data.reading.key_values import is_key_values, read_key_values
from deltarule.data.reading.libsvm import dense_arff, is_libsvm, read_libsvm
from deltarule.data.reading.markup import is_markup, read_markup
from deltarule.data.reading.memory import MemoryTable
from deltarule.data.reading.named_arrays import read_arrays
from deltarule.data.reading.number_lists import spread_lists
from deltarule.data.reading.other_sources import (
    read_database,
    read_excel,
    read_feather,
    read_json,
    read_parquet,
    read_sqlite,
)
from deltarule.data.reading.raw_table import RawTable, ReadingOptions
from deltarule.data.reading.sql_dump import is_sql, read_sql
from deltarule.data.reading.text_encodings import decode_text
from deltarule.errors import DataFileError

_READERS: dict[str, Callable[[str | os.PathLike[str], bytes, ReadingOptions], RawTable]] = {
    "excel": read_excel,
    "json": read_json,
    "parquet": read_parquet,
    "feather": read_feather,
    "sqlite": read_sqlite,
    "arrays": read_arrays,
}

_WEB = ("http", "https", "ftp", "ftps", "sftp", "file", "s3", "gs", "hdfs", "abfs", "az")


def is_database(source: str | os.PathLike[str]) -> bool:
    """Return whether a source is the URL of a database, such as ``postgresql://me@here/shop::orders``."""
    return isinstance(source, str) and "://" in source


def read_file(path: str | os.PathLike[str], options: ReadingOptions) -> RawTable:
    """Read a table from a file, from standard input (``-``), from memory, or from a database.

    ``file::name`` is a table of a database or a sheet of a spreadsheet.

    Raises
    ------
    DataFileError
        If it cannot be read, or is not a table.
    """
    return spread_lists(_read(path, options), options)


def _read(path: str | os.PathLike[str], options: ReadingOptions) -> RawTable:
    if isinstance(path, MemoryTable):
        return path.read()
    source = os.fspath(path)
    if "::" in source and not os.path.exists(source):
        source, _, table = source.rpartition("::")
        options = replace(options, table=table)
        path = source
    if is_database(source):
        if source.partition(":")[0].lower() in _WEB:
            raise DataFileError(
                source, "files on the web are not fetched: download the file, and give its path"
            )
        return read_database(source, options)
    bulk = read_bulk(path, options)
    if bulk is not None:
        return bulk
    data = sys.stdin.buffer.read() if source == "-" else read_bytes(path)
    return read_data(path, data, options)


def read_data(path: str | os.PathLike[str], data: bytes, options: ReadingOptions) -> RawTable:
    """Read a table from the bytes of a file of any kind.

    Raises
    ------
    DataFileError
        If they are damaged, or not a table.
    """
    format, data, name, decisions = unpack(path, data, options.format, options.table)
    if name == options.table:  # a file of a zip
        options = replace(options, table=None)
    raw = _READERS.get(format, _read_text)(path, data, options)
    return replace(raw, decisions=(*decisions, *raw.decisions))


def _read_text(path: str | os.PathLike[str], data: bytes, options: ReadingOptions) -> RawTable:
    text, decoded = decode_text(path, data, options.encoding)
    plain = options.format is None and options.delimiter is None and not options.all_lines
    if plain and is_libsvm(text):
        raw = read_libsvm(path, text)
    elif plain and is_markup(text):
        raw = read_markup(path, text, options)
    elif plain and is_key_values(text):
        raw = read_key_values(path, text, options)
    elif plain and is_sql(text):
        raw = read_sql(path, text, options)
    else:
        raw = read_text_table(path, dense_arff(path, text), options)
    return replace(raw, decisions=(*decoded, *raw.decisions))
