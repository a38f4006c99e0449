"""Row groups of files that keep columns: Parquet, and Arrow's own format."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from deltarule.data.raw_files import describe
from deltarule.data.streams.files import StreamFile
from deltarule.data.streams.pieces import Piece, RowGroup, TablePiece, columns_to_read
from deltarule.errors import DataFileError, all_faults
from deltarule.registry import import_extra

_BUFFER = 1 << 16  # bytes that are read at once of each column …
_FAR_BUFFER = 1 << 20  # … and where each reading takes a message to another machine


def parquet_groups(files: Sequence[StreamFile]) -> list[RowGroup]:
    """Return the row groups of Parquet files, in the order of the files.

    Raises
    ------
    DataFileError
        If a file is damaged, or a column is of different kinds in them: all faults at once.
    """
    pq = import_extra("pyarrow.parquet", "arrow")
    groups: list[RowGroup] = []
    first: tuple[str, Any] | None = None
    faults: list[DataFileError] = []
    for file in files:
        with _named(file.name, "this Parquet file is damaged"), file.open() as opened:
            metadata = pq.ParquetFile(opened).metadata
        schema = metadata.schema.to_arrow_schema()
        first = first or (file.name, schema)
        faults += _differences(file.name, schema, *first)
        groups += [
            _parquet_group(file, metadata, number)
            for number in range(metadata.num_row_groups)
            if metadata.row_group(number).num_rows
        ]
    if faults:
        raise all_faults(faults)
    return groups


def _parquet_group(file: StreamFile, metadata: Any, number: int) -> RowGroup:
    label = f"{file.name}, row group {number + 1}"

    def read(most: int, columns: frozenset[str] | None, texts: frozenset[str]) -> Iterator[Piece]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        file.check()
        names = columns_to_read(metadata.schema.to_arrow_schema().names, columns)
        is_far = not os.path.isfile(file.name)
        size, opening = (_FAR_BUFFER, file.open) if is_far else (_BUFFER, lambda: pa.OSFile(file.name))
        with _named(file.name, f"row group {number + 1} cannot be read"), opening() as opened:
            parquet = pq.ParquetFile(
                opened, metadata=metadata, buffer_size=size, pre_buffer=False, page_checksum_verification=True
            )
            for batch in parquet.iter_batches(most, row_groups=[number], columns=names, use_threads=False):
                yield TablePiece.of_batch(label, batch, texts)

    columns = tuple(metadata.schema.to_arrow_schema().names)
    return RowGroup(label, read, metadata.row_group(number).num_rows, file.name, columns)


def arrow_groups(files: Sequence[StreamFile]) -> list[RowGroup]:
    """Return the record batches of files in Arrow's format (Feather version 2)."""
    ipc = import_extra("pyarrow.ipc", "arrow")
    groups: list[RowGroup] = []
    first: tuple[str, Any] | None = None
    for file in files:
        with _named(file.name, "this Arrow file is damaged"), file.open() as opened:
            reader = ipc.open_file(opened)
            first = first or (file.name, reader.schema)
            faults = _differences(file.name, reader.schema, *first)
            if faults:
                raise faults[0]
            columns = tuple(reader.schema.names)
            groups += [_arrow_group(file, number, columns) for number in range(reader.num_record_batches)]
    return groups


def _arrow_group(file: StreamFile, number: int, names: tuple[str, ...]) -> RowGroup:
    label = f"{file.name}, record batch {number + 1}"

    def read(most: int, columns: frozenset[str] | None, texts: frozenset[str]) -> Iterator[Piece]:
        import pyarrow.ipc as ipc

        file.check()
        with _named(file.name, f"record batch {number + 1} cannot be read"), file.open() as opened:
            batch = ipc.open_file(opened).get_batch(number)
            batch = batch.select(columns_to_read(batch.schema.names, columns))
            for start in range(0, batch.num_rows, most):
                yield TablePiece.of_batch(label, batch.slice(start, most), texts)

    return RowGroup(label, read, file=file.name, columns=names)


@contextmanager
def _named(name: str, reason: str) -> Iterator[None]:
    """Turn what Arrow raises into an error about a file."""
    import pyarrow as pa

    try:
        yield
    except MemoryError:
        raise MemoryError(f"{name}: {reason}: its rows do not fit into memory") from None
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, DataFileError):
            raise
        raise DataFileError(name, f"{reason}: {describe(error)}") from None


def _differences(name: str, schema: Any, first: str | os.PathLike[str], wanted: Any) -> list[DataFileError]:
    """Which columns of a file are of another kind than the first one's."""
    types, expected = (dict(zip(item.names, item.types, strict=True)) for item in (schema, wanted))
    faults = [
        f"column {column!r} is {types[column]}, but {expected[column]} in {first}"
        for column in types
        if column in expected and len({_kind(types[column]), _kind(expected[column])} - {"null"}) == 2
    ]
    return [DataFileError(name, fault) for fault in faults]


def _kind(type_: Any) -> str:
    """What may stand for each other: all numbers, all texts, all dates."""
    import pyarrow as pa

    if pa.types.is_dictionary(type_):
        type_ = type_.value_type
    if pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        return "number"
    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        return "text"
    return "date" if pa.types.is_temporal(type_) else str(type_)
